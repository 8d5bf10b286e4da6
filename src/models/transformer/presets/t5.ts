import type { TransformerConfig } from "../config.ts";
import type { PublishedNames } from "../published.ts";
import type { PresetSizes } from "./shared.ts";

export interface T5Options extends Omit<PresetSizes, "layers"> {
  encoderLayers: number;
  decoderLayers: number;
  /** D, which need not be width / heads. */
  headWidth: number;
  /** @default 32 */
  buckets?: number;
  /** @default 128 */
  maxDistance?: number;
  /** T5 1.1: gated tanh GELU, and a last matrix of its own. @default false: ReLU, tied */
  gated?: boolean;
}

/**
 * T5: an encoder and a decoder with RMS norms, unscaled scores and one table of relative positions a stack.
 *
 * Paper: Raffel et al. 2020, arxiv.org/abs/1910.10683.
 *
 * @example
 * const model = new Transformer(t5({ encoderLayers: 1, decoderLayers: 1, width: 8, heads: 2, headWidth: 4, vocabulary: 11 }), 1);
 * const tokens = tf.tensor2d([[3, 1, 4]], [1, 3], "int32");
 * const memory = model.encode({ tokens });
 * model.logits(model.decode({ tokens }, { memory })).shape; // [1, 3, 11]
 */
export function t5(options: T5Options): TransformerConfig {
  const {
    encoderLayers,
    decoderLayers,
    width,
    heads,
    headWidth,
    vocabulary,
    dropout = 0.1,
    gated = false,
  } = options;
  const { inner = 4 * width, buckets = 32, maxDistance = 128 } = options;
  return {
    encoderLayers,
    decoderLayers,
    width,
    heads,
    headWidth,
    inner,
    vocabulary,
    dropout,
    norm: "rms",
    epsilon: 1e-6,
    preNorm: true,
    activation: gated ? "geluTanh" : "relu",
    gated,
    attentionBias: false,
    innerBias: false,
    scale: 1,
    positions: { kind: "t5", buckets, maxDistance },
    head: gated ? { tied: false, bias: false } : { tied: true, bias: false, scale: width ** -0.5 },
  };
}

const stack = (name: "encoder" | "decoder", feed: number): PublishedNames => ({
  [`${name}/#/self/query`]: `${name}.block.#.layer.0.SelfAttention.q`,
  [`${name}/#/self/key`]: `${name}.block.#.layer.0.SelfAttention.k`,
  [`${name}/#/self/value`]: `${name}.block.#.layer.0.SelfAttention.v`,
  [`${name}/#/self/output`]: `${name}.block.#.layer.0.SelfAttention.o`,
  [`${name}/#/self/norm`]: `${name}.block.#.layer.0.layer_norm`,
  [`${name}/#/feed/out`]: `${name}.block.#.layer.${feed}.DenseReluDense.wo`,
  [`${name}/#/feed/norm`]: `${name}.block.#.layer.${feed}.layer_norm`,
  [`${name}/distances`]: `${name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
  [`${name}/norm`]: `${name}.final_layer_norm`,
});

/** Names of `T5ForConditionalGeneration`; those of T5 1.1 have two maps into the feed-forward sublayer. */
export function t5Names(gated = false): PublishedNames {
  const into = (name: "encoder" | "decoder", feed: number): PublishedNames => {
    const module = `${name}.block.#.layer.${feed}.DenseReluDense`;
    return gated
      ? { [`${name}/#/feed/gate`]: `${module}.wi_0`, [`${name}/#/feed/in`]: `${module}.wi_1` }
      : { [`${name}/#/feed/in`]: `${module}.wi` };
  };
  return {
    "embedding/token": "shared.weight",
    ...stack("encoder", 1),
    ...into("encoder", 1),
    ...stack("decoder", 2),
    ...into("decoder", 2),
    "decoder/#/cross/query": "decoder.block.#.layer.1.EncDecAttention.q",
    "decoder/#/cross/key": "decoder.block.#.layer.1.EncDecAttention.k",
    "decoder/#/cross/value": "decoder.block.#.layer.1.EncDecAttention.v",
    "decoder/#/cross/output": "decoder.block.#.layer.1.EncDecAttention.o",
    "decoder/#/cross/norm": "decoder.block.#.layer.1.layer_norm",
    "head/weight": "lm_head.weight",
  };
}
