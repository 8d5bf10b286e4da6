import type { Activation, TransformerConfig } from "../config.ts";
import type { PublishedNames } from "../published.ts";
import type { PresetSizes } from "./shared.ts";

export interface EncoderDecoderOptions extends Omit<PresetSizes, "layers"> {
  encoderLayers: number;
  decoderLayers: number;
  /** @default "relu" */
  activation?: Activation;
}

/**
 * The Transformer of the paper: encoder and decoder with a norm after each sublayer, ReLU and sines for positions; one
 * table embeds sources, targets and scores.
 *
 * Paper: Vaswani et al. 2017, arxiv.org/abs/1706.03762.
 *
 * @example
 * const model = new Transformer(vaswani({ encoderLayers: 1, decoderLayers: 1, width: 8, heads: 2, vocabulary: 11 }), 1);
 * const tokens = tf.tensor2d([[3, 1, 4]], [1, 3], "int32");
 * model.logits(model.decode({ tokens }, { memory: model.encode({ tokens }) })).shape; // [1, 3, 11]
 */
export function vaswani(options: EncoderDecoderOptions): TransformerConfig {
  const {
    encoderLayers,
    decoderLayers,
    width,
    heads,
    inner = 4 * width,
    vocabulary,
    dropout = 0.1,
  } = options;
  return {
    encoderLayers,
    decoderLayers,
    width,
    heads,
    inner,
    vocabulary,
    dropout,
    norm: "layer",
    epsilon: 1e-5,
    preNorm: false,
    activation: options.activation ?? "relu",
    attentionBias: true,
    innerBias: true,
    positions: { kind: "sinusoidal", order: "interleaved" },
    embeddingScale: Math.sqrt(width),
    head: { tied: true, bias: false },
  };
}

/**
 * Marian's translation models: the Transformer of the paper with SiLU, a bias of the last scores, and sines and cosines in
 * halves.
 *
 * Paper: Junczys-Dowmunt et al. 2018, arxiv.org/abs/1804.00344.
 *
 * @example
 * const model = new Transformer(marian({ encoderLayers: 1, decoderLayers: 1, width: 8, heads: 2, vocabulary: 11 }), 1);
 * model.encode({ tokens: tf.tensor2d([[3, 1, 4]], [1, 3], "int32") }).shape; // [1, 3, 8]
 */
export function marian(options: EncoderDecoderOptions): TransformerConfig {
  return {
    ...vaswani({ activation: "silu", ...options }),
    positions: { kind: "sinusoidal", order: "halves" },
    head: { tied: true, bias: true },
  };
}

const stack = (name: "encoder" | "decoder"): PublishedNames => ({
  [`${name}/#/self/query`]: `model.${name}.layers.#.self_attn.q_proj`,
  [`${name}/#/self/key`]: `model.${name}.layers.#.self_attn.k_proj`,
  [`${name}/#/self/value`]: `model.${name}.layers.#.self_attn.v_proj`,
  [`${name}/#/self/output`]: `model.${name}.layers.#.self_attn.out_proj`,
  [`${name}/#/self/norm`]: `model.${name}.layers.#.self_attn_layer_norm`,
  [`${name}/#/feed/in`]: `model.${name}.layers.#.fc1`,
  [`${name}/#/feed/out`]: `model.${name}.layers.#.fc2`,
  [`${name}/#/feed/norm`]: `model.${name}.layers.#.final_layer_norm`,
});

/** Names of `MarianMTModel`. */
export const marianNames: PublishedNames = {
  "embedding/token": "model.shared.weight",
  ...stack("encoder"),
  ...stack("decoder"),
  "decoder/#/cross/query": "model.decoder.layers.#.encoder_attn.q_proj",
  "decoder/#/cross/key": "model.decoder.layers.#.encoder_attn.k_proj",
  "decoder/#/cross/value": "model.decoder.layers.#.encoder_attn.v_proj",
  "decoder/#/cross/output": "model.decoder.layers.#.encoder_attn.out_proj",
  "decoder/#/cross/norm": "model.decoder.layers.#.encoder_attn_layer_norm",
  "head/bias": "final_logits_bias",
};
