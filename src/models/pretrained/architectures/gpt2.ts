import { gpt2, gpt2Names } from "../../transformer/presets/gpt2.ts";
import type { Architecture } from "../architecture.ts";

export const gpt2Architecture: Architecture = {
  types: ["gpt2"],
  prefix: "transformer.",
  read(json, shapeOf) {
    json.only("scale_attn_weights", true);
    json.only("scale_attn_by_inverse_layer_idx", false);
    json.only("tie_word_embeddings", true);
    const width = json.size("n_embd");
    const config = gpt2({
      layers: json.size("n_layer"),
      width,
      heads: json.size("n_head"),
      inner: json.size("n_inner", 4 * width),
      vocabulary: json.size("vocab_size"),
      positions: shapeOf("transformer.wpe.weight")?.[0] ?? json.size("n_positions"),
      dropout: json.number("resid_pdrop", 0.1),
    });
    const activation = json.activation("activation_function", "gelu_new");
    return {
      config: { ...config, activation, epsilon: json.number("layer_norm_epsilon", 1e-5) },
      names: gpt2Names,
    };
  },
  write({ positions }) {
    const rows = positions.kind === "learned" ? positions.length : undefined;
    return { names: gpt2Names, className: "GPT2LMHeadModel", entries: { n_positions: rows } };
  },
};
