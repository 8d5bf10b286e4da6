/** config.json of a Llama that has none: of one that came as GGUF, or was made here. */
import type { RopeScaling } from "../../../attention/position/rope-frequencies.ts";
import { DataError } from "../../../core/errors.ts";
import type { FullConfig } from "../../transformer/config.ts";

/** Whether a model is what Llama, Mistral and Qwen 2 are, whatever it was read from. */
export function isLlama(config: FullConfig): boolean {
  const { encoderLayers, norm, preNorm, gated, innerBias, positions, head, scale, headWidth } = config;
  const isDecoder = encoderLayers === 0 && config.layerGroups === undefined && config.embeddingScale === 1;
  const isGated = gated && norm === "rms" && preNorm && !innerBias && !config.embeddingNorm;
  const isTurned = positions.kind === "rope" && (positions.width ?? headWidth) === headWidth;
  return isDecoder && isGated && isTurned && head?.bias === false && scale === 1 / Math.sqrt(headWidth);
}

/** @throws DataError UNSUPPORTED for rotary positions that published models do not have */
export function llamaJson(config: FullConfig): Record<string, unknown> {
  const { attentionBias, outputBias, window, positions, heads, headWidth, width } = config;
  const { base, scaling } = positions as Extract<typeof positions, { kind: "rope" }>;
  const type = window !== undefined ? "mistral" : attentionBias && !outputBias ? "qwen2" : "llama";
  const rope = scaling && scalingJson(scaling);
  return {
    model_type: type,
    vocab_size: config.vocabulary,
    hidden_size: width,
    intermediate_size: config.inner,
    num_hidden_layers: config.decoderLayers,
    num_attention_heads: heads,
    num_key_value_heads: config.keyValueHeads,
    ...(headWidth !== width / heads && { head_dim: headWidth }),
    ...(window !== undefined && { sliding_window: window }),
    hidden_act: ACTIVATIONS[config.activation],
    rms_norm_eps: config.epsilon,
    rope_theta: base,
    ...(rope && { rope_scaling: rope }),
  };
}

/** What the metadata of GGUF says that a Transformer does not know. */
export function ggufEntries(metadata: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const entries = {
    max_position_embeddings: metadata.get("llama.context_length"),
    bos_token_id: metadata.get("tokenizer.ggml.bos_token_id"),
    eos_token_id: metadata.get("tokenizer.ggml.eos_token_id"),
    pad_token_id: metadata.get("tokenizer.ggml.padding_token_id"),
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => Number.isSafeInteger(value)));
}

const ACTIVATIONS = { relu: "relu", gelu: "gelu", geluTanh: "gelu_pytorch_tanh", silu: "silu" } as const;

function scalingJson(scaling: RopeScaling): Record<string, unknown> {
  const { type, factor } = scaling;
  switch (type) {
    case "linear":
      return { type, rope_type: type, factor };
    case "llama3": {
      const { original = 8192, fast = 4, slow = 1 } = scaling;
      const turns = { high_freq_factor: fast, low_freq_factor: slow };
      return { rope_type: type, factor, original_max_position_embeddings: original, ...turns };
    }
    case "yarn": {
      const { original, fast = 32, slow = 1, magnitude } = scaling;
      const turns = { beta_fast: fast, beta_slow: slow };
      if (magnitude === undefined)
        return { rope_type: type, factor, original_max_position_embeddings: original, ...turns };
    }
  }
  throw new DataError("UNSUPPORTED", {
    op: "writePretrained",
    rule: "rotary positions must be scaled as published models scale them: linear, llama3, or yarn without magnitude",
    got: type,
    remedy: "keep the model in a format of heed's own",
  });
}
