import { llama, llamaNames } from "../../transformer/presets/llama.ts";
import type { Architecture } from "../architecture.ts";
import type { ConfigJson } from "../config-json.ts";

/** Llama, and what is Llama with a window (Mistral) or biases of queries, keys and values (Qwen 2). */
export const llamaArchitecture: Architecture = {
  types: ["llama", "mistral", "qwen2"],
  prefix: "model.",
  read(json, shapeOf) {
    json.only("mlp_bias", false);
    const heads = json.size("num_attention_heads");
    const width = json.size("hidden_size");
    const scaling = json.ropeScaling("rope_scaling");
    const window = windowOf(json);
    const config = llama({
      layers: json.size("num_hidden_layers"),
      width,
      heads,
      keyValueHeads: json.size("num_key_value_heads", heads),
      headWidth: json.size("head_dim", width / heads),
      inner: json.size("intermediate_size"),
      vocabulary: json.size("vocab_size"),
      ropeBase: json.number("rope_theta", 10_000),
      ...(scaling && { ropeScaling: scaling }),
      epsilon: json.number("rms_norm_eps", 1e-6),
      tied: shapeOf("lm_head.weight") === undefined || json.flag("tie_word_embeddings", false),
      attentionBias: shapeOf("model.layers.0.self_attn.q_proj.bias") !== undefined,
    });
    const outputBias = shapeOf("model.layers.0.self_attn.o_proj.bias") !== undefined;
    const activation = json.activation("hidden_act", "silu");
    return {
      config: { ...config, activation, outputBias, ...(window !== undefined && { window }) },
      names: llamaNames,
    };
  },
  write({ head, attentionBias, outputBias }, json) {
    const type = json.get("model_type");
    const className = type === "mistral" ? "Mistral" : type === "qwen2" ? "Qwen2" : "Llama";
    const biases = type === "llama" ? { attention_bias: attentionBias && outputBias } : {};
    return {
      names: llamaNames,
      className: `${className}ForCausalLM`,
      entries: { tie_word_embeddings: head?.tied ?? false, ...biases },
    };
  },
};

/** Qwen 2 has a window in its configuration, and says beside it whether it is used. */
function windowOf(json: ConfigJson): number | undefined {
  const given = json.get("sliding_window");
  const isUsed = json.flag("use_sliding_window", json.get("model_type") === "mistral");
  return given === undefined || given === null || !isUsed ? undefined : json.size("sliding_window");
}
