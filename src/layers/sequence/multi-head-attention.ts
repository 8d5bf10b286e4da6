import { integer, integers, type LayerOptions, optional, required } from "../base/index.ts";
import { type Heads, ProjectedLayer, projectedFields } from "./projected.ts";

const fields = {
  /** H */
  numHeads: required(integer(1)),
  /** D, the width of one head's queries and keys. */
  keyDim: required(integer(1)),
  /** Dv, the width of one head's values. @default keyDim */
  valueDim: optional(integer(1)),
  /** The last axes of the output. @default the last of the query */
  outputShape: optional(integers(1)),
  /** The axes that attention runs over, for inputs such as images [B, H, W, C]. @default all but the first and last */
  attentionAxes: optional(integers()),
  ...projectedFields,
};

export type MultiHeadAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Keras' `MultiHeadAttention`: H attentions side by side, each in its own projection of queries, keys and values.
 *
 *     head_h = attention(query·Wq_h, key·Wk_h, value·Wv_h),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: Wq_h the slice `query/kernel`[:, h]; Wk `key/kernel`, Wv `value/kernel`, Wo `attention_output/kernel`, each
 * with a bias unless `useBias` is false.
 * Shapes: [query [B, T, C], value [B, S, Cv]?, key [B, S, Ck]?, attentionMask [B, T, S]?] → [B, T, C], weights
 * [B, H, T, S]. One input attends to itself; mind the order, value before key. Inputs of more axes are attended along
 * `attentionAxes`: [B, …, C], weights [B, …, H, …T, …S], masks of positions [B, …], `attentionMask` [B, …T, …S].
 * Conventions: options, call options and weights are Keras 3's, and Keras' weights load. Masks of query, value and key
 * and `attentionMask`, 1 = attend, compose, and with `useCausalMask` (first corner) and `slidingWindow`. A query that
 * sees nothing gets 0 from every head, with and without the weights (Keras: only with them). `dropout` and
 * `returnAttentionScores` leave the fused path as it is, and the weights are those before dropout. `useCausalMask` and
 * `slidingWindow` hold along one axis. Heads that share keys and values are `GroupQueryAttention`'s.
 * Initialisers draw for the matrices [C, H·D] that the kernels are. The call options `useCausalMask` and
 * `returnAttentionScores` are fields too, for models. `layer.setParameters(fromTorchInProj(state, numHeads))` takes over
 * PyTorch's weights.
 * Cost: that of `multiHeadAttention`. Paper: Vaswani et al. 2017, §3.2.2, arxiv.org/abs/1706.03762.
 *
 * @throws OptionError UNKNOWN, OPTION, UNSUPPORTED, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3 });
 * const [output, weights] = layer.apply([queries, values], { returnAttentionScores: true });
 * output.shape; // [2, 3, 4]
 * weights.shape; // [2, 2, 3, 5]
 */
export class MultiHeadAttention extends ProjectedLayer<typeof fields> {
  static readonly className = "MultiHeadAttention";
  static readonly fields: typeof fields = fields;
  static readonly ignored = ["queryShape", "valueShape", "keyShape"];

  protected override get heads(): Heads {
    const { numHeads: H, keyDim: D, valueDim: Dv = D, outputShape, attentionAxes } = this.config;
    return { H, Hkv: H, D, Dv, outputShape, attentionAxes };
  }
}
