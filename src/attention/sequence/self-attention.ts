import type * as tf from "@tensorflow/tfjs-core";
import {
  type MultiHeadOptions,
  type MultiHeadParameters,
  type MultiHeadResult,
  multiHeadAttention,
} from "./multi-head.ts";

/**
 * Self-attention: every position of a sequence reads the others, in projections of its own.
 *
 *     output = attention(x·Wq + bq, x·Wk + bk, x·Wv + bv)·Wo + bo
 *
 * Symbols: x the sequence; Wq, Wk, Wv and Wo learned. It is `multiHeadAttention` of one sequence; with H = 1 and
 * without Wo it is the single head softmax(QKᵀ/√D)·V.
 * Shapes: x [B, T, C], wq [C, H, D], wk [C, Hkv, D], wv [C, Hkv, Dv], wo [H, Dv, Cout] → output [B, T, Cout] (without
 * wo [B, T, H·Dv]), weights [B, H, T, T].
 * Conventions: without positions it is equivariant: permuted inputs give permuted outputs. With `causal: true` no bit
 * of output t depends on inputs after t; on `heed` that holds while they do not take scores beyond ±32, from where on a
 * maximum is subtracted and sums round another way. Masks, NaN and empty rows as in `multiHeadAttention`.
 * Cost: as multi-head attention's with S = T. Papers: Cheng, Dong & Lapata 2016, arxiv.org/abs/1601.06733; Vaswani et
 * al. 2017, §3.2, arxiv.org/abs/1706.03762.
 *
 * @throws ShapeError RANK, SHAPE, HEADS · and what `attention` throws for its options
 * @draws
 * // Twelve words of four kinds: each looks at its own kind, up to itself.
 * const kinds = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 3, 1, 0, 2, 3, 3, 1, 0], "int32"), 4);
 * const x = tf.expandDims(tf.cast(kinds, "float32"), 0);
 * const [wq, w] = [6, 1].map((n) => tf.reshape(tf.mul(tf.eye(4), n), [4, 1, 4]));
 * return tf.squeeze(selfAttention(x, { wq, wk: w, wv: w }, { causal: true, weights: true }).weights);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3);
 * const parameters = { wq: w(4, 2, 3), wk: w(4, 2, 3), wv: w(4, 2, 3), wo: w(2, 3, 4), bo: tf.zeros([4]) };
 * selfAttention(queries, parameters, { causal: true }).output.shape; // [2, 3, 4]
 */
export function selfAttention<const O extends MultiHeadOptions>(
  x: tf.Tensor3D,
  parameters: MultiHeadParameters,
  options: O = {} as O,
): MultiHeadResult<O> {
  return multiHeadAttention({ query: x }, parameters, options, "selfAttention");
}
