import * as tf from "@tensorflow/tfjs-core";
import { longformerAttention } from "../../attention/sparse/longformer.ts";
import {
  byDefault,
  causalMask,
  even,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  type Kind,
  type LayerOptions,
  type Projections,
  required,
  SELF,
  sharedHeads,
} from "../base/index.ts";

const positions: Kind<readonly number[], readonly number[]> = {
  rule: "a list of different integers ≥ 0",
  read: (given) => {
    const fits = Array.isArray(given) && given.every((n) => Number.isSafeInteger(n) && n >= 0);
    return fits && new Set(given).size === given.length ? [...given] : undefined;
  },
  write: (value) => [...value],
};
const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  /** w: w/2 keys on each side, or before the query alone with `useCausalMask`; Hugging Face's attention_window. */
  attentionWindow: required(even()),
  /** Distance of neighbouring keys in the window. @default 1 */
  dilation: byDefault(integer(1), 1),
  /** Positions that see everything and that everything sees, such as a class token's [0]. @default [] */
  globalPositions: byDefault(positions, []),
};

export type LongformerAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Longformer's self-attention with its projections: a sliding window, and global positions with projections of their
 * own.
 *
 *     output = [head_1; …; head_H]·Wo,    head_h = longformerAttention(x·Wq_h, x·Wk_h, x·Wv_h)
 *
 * Symbols: Wq `query/kernel`, Wk `key/kernel`, Wv `value/kernel`, Wo `attention_output/kernel`; for global positions
 * `query_global/kernel` and so on; each with a bias unless `useBias` is false.
 * Shapes: x [B, T, C] → [B, T, C]; weights [C, H, D], [C, Hkv, D] and [H, D, C].
 * Conventions: the mask of x must be of padding at the end; padded positions are seen by no one, and get 0 from every
 * head. A layer without global positions has no weights for them. No dropout: `longformerAttention` has none, window
 * and global keys are softmaxes of their own, joined.
 * Cost: O(B·H·T·(w + g)·D), g global positions.
 * Paper: Beltagy, Peters & Cohan 2020, §3.1, arxiv.org/abs/2004.05150.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE, HEADS
 * @example
 * const layer = new LongformerAttention({ numHeads: 2, keyDim: 3, attentionWindow: 2, globalPositions: [0] });
 * layer.apply(values).shape; // [2, 5, 7]
 */
export class LongformerAttention extends HeadLayer<typeof fields> {
  static readonly className = "LongformerAttention";
  static readonly inputs = SELF;
  static readonly fields: typeof fields = fields;

  protected override projections(): Projections {
    const own = super.projections();
    if (this.config.globalPositions.length === 0) return own;
    return { ...own, query_global: "query", key_global: "key", value_global: "value" };
  }

  protected override attend(heads: Heads): tf.Tensor4D {
    const { attentionWindow, dilation, globalPositions: positions, useCausalMask: causal } = this.config;
    const side = attentionWindow / 2;
    const options = { window: { left: side, right: side }, dilation, causal, keyLengths: heads.lengths };
    if (positions.length === 0) return longformerAttention(heads.q, heads.k, heads.v, options).output;
    const asking = tf.gather(heads.inputs.query, tf.tensor1d([...positions], "int32"), 1);
    const global = {
      positions,
      q: heads.project("query_global", asking),
      k: heads.project("key_global"),
      v: heads.project("value_global"),
    };
    return longformerAttention(heads.q, heads.k, heads.v, { ...options, global }).output;
  }
}
