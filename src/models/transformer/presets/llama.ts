import type { RopeScaling } from "../../../attention/position/rope-frequencies.ts";
import type { TransformerConfig } from "../config.ts";
import type { PublishedNames } from "../published.ts";
import type { PresetSizes } from "./shared.ts";

export interface LlamaOptions extends PresetSizes {
  /** Hkv. @default heads */
  keyValueHeads?: number;
  /** D. @default width / heads */
  headWidth?: number;
  /** The slowest pair of channels turns once in 2π·base positions. @default 10000 */
  ropeBase?: number;
  ropeScaling?: RopeScaling;
  /** @default 1e-5 */
  epsilon?: number;
  /** The token embedding scores the next token too. @default false */
  tied?: boolean;
  /** Biases of queries, keys and values, as Qwen 2 has them. @default false */
  attentionBias?: boolean;
}

/**
 * Llama: a decoder alone with RMS norms, rotary positions, grouped heads and gated SiLU, without biases. Mistral, Qwen 2
 * and SmolLM are this with other sizes.
 *
 * Papers: Touvron et al. 2023, arxiv.org/abs/2302.13971; grouped heads: Ainslie et al. 2023, arxiv.org/abs/2305.13245.
 *
 * @example
 * const model = new Transformer(llama({ layers: 2, width: 8, heads: 4, keyValueHeads: 2, vocabulary: 11 }), 1);
 * const tokens = tf.tensor2d([[3, 1, 4]], [1, 3], "int32");
 * model.logits(model.decode({ tokens })).shape; // [1, 3, 11]
 */
export function llama(options: LlamaOptions): TransformerConfig {
  const {
    layers,
    width,
    heads,
    inner = 4 * width,
    vocabulary,
    dropout = 0,
    keyValueHeads,
    headWidth,
  } = options;
  const { ropeBase: base = 10_000, ropeScaling: scaling, attentionBias = false } = options;
  return {
    encoderLayers: 0,
    decoderLayers: layers,
    width,
    heads,
    inner,
    vocabulary,
    dropout,
    ...(keyValueHeads !== undefined && { keyValueHeads }),
    ...(headWidth !== undefined && { headWidth }),
    norm: "rms",
    epsilon: options.epsilon ?? 1e-5,
    preNorm: true,
    activation: "silu",
    gated: true,
    attentionBias,
    outputBias: false,
    innerBias: false,
    positions: { kind: "rope", base, ...(scaling && { scaling }) },
    head: { tied: options.tied ?? false, bias: false },
  };
}

/** Names of `LlamaForCausalLM`. */
export const llamaNames: PublishedNames = {
  "embedding/token": "model.embed_tokens.weight",
  "decoder/#/self/query": "model.layers.#.self_attn.q_proj",
  "decoder/#/self/key": "model.layers.#.self_attn.k_proj",
  "decoder/#/self/value": "model.layers.#.self_attn.v_proj",
  "decoder/#/self/output": "model.layers.#.self_attn.o_proj",
  "decoder/#/self/norm": "model.layers.#.input_layernorm",
  "decoder/#/feed/gate": "model.layers.#.mlp.gate_proj",
  "decoder/#/feed/in": "model.layers.#.mlp.up_proj",
  "decoder/#/feed/out": "model.layers.#.mlp.down_proj",
  "decoder/#/feed/norm": "model.layers.#.post_attention_layernorm",
  "decoder/norm": "model.norm",
  "head/weight": "lm_head.weight",
};
