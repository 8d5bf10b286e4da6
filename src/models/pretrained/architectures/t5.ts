import { t5, t5Names } from "../../transformer/presets/t5.ts";
import type { Architecture } from "../architecture.ts";

export const t5Architecture: Architecture = {
  types: ["t5"],
  prefix: "",
  read(json, shapeOf) {
    const layers = json.size("num_layers");
    const gated = shapeOf("encoder.block.0.layer.1.DenseReluDense.wi_0.weight") !== undefined;
    const width = json.size("d_model");
    const config = t5({
      encoderLayers: layers,
      decoderLayers: json.size("num_decoder_layers", layers),
      width,
      heads: json.size("num_heads"),
      headWidth: json.size("d_kv"),
      inner: json.size("d_ff"),
      vocabulary: json.size("vocab_size"),
      buckets: json.size("relative_attention_num_buckets", 32),
      maxDistance: json.size("relative_attention_max_distance", 128),
      dropout: json.number("dropout_rate", 0.1),
      gated,
    });
    const isTied = json.flag("tie_word_embeddings", true);
    return {
      config: {
        ...config,
        activation: json.activation("dense_act_fn", gated ? "gelu_new" : "relu"),
        epsilon: json.number("layer_norm_epsilon", 1e-6),
        head: isTied ? { tied: true, bias: false, scale: width ** -0.5 } : { tied: false, bias: false },
      },
      names: t5Names(gated),
    };
  },
  write: ({ gated, head }) => ({
    names: t5Names(gated),
    className: "T5ForConditionalGeneration",
    entries: { tie_word_embeddings: head?.tied ?? true },
  }),
};
