import { marian, marianNames } from "../../transformer/presets/marian.ts";
import type { Architecture } from "../architecture.ts";

export const marianArchitecture: Architecture = {
  types: ["marian"],
  prefix: "",
  read(json) {
    json.only("static_position_embeddings", true);
    json.only("share_encoder_decoder_embeddings", true);
    const [width, heads] = [json.size("d_model"), json.size("encoder_attention_heads")];
    json.only("decoder_attention_heads", heads);
    const inner = json.size("encoder_ffn_dim");
    json.only("decoder_ffn_dim", inner);
    const config = marian({
      encoderLayers: json.size("encoder_layers"),
      decoderLayers: json.size("decoder_layers"),
      width,
      heads,
      inner,
      vocabulary: json.size("vocab_size"),
      activation: json.activation("activation_function", "silu"),
      dropout: json.number("dropout", 0.1),
    });
    const isScaled = json.flag("scale_embedding", false);
    return { config: { ...config, embeddingScale: isScaled ? Math.sqrt(width) : 1 }, names: marianNames };
  },
  write: ({ vocabulary: V }) => ({
    names: marianNames,
    className: "MarianMTModel",
    shapes: { final_logits_bias: [1, V] },
  }),
};
