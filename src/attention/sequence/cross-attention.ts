import type * as tf from "@tensorflow/tfjs-core";
import {
  type MultiHeadOptions,
  type MultiHeadParameters,
  type MultiHeadResult,
  multiHeadAttention,
} from "./multi-head.ts";

/**
 * Cross-attention: one sequence asks, another answers.
 *
 *     output = attention(x·Wq + bq, memory·Wk + bk, memory·Wv + bv)·Wo + bo
 *
 * Symbols: x what asks, memory what is read; Wq, Wk, Wv and Wo learned. It is `multiHeadAttention` of two sequences;
 * `softAttention` and `attend` are the same without projections.
 * Shapes: x [B, T, C], memory [B, S, Ck]; wq [C, H, D], wk [Ck, Hkv, D], wv [Ck, Hkv, Dv], wo [H, Dv, Cout] → output
 * [B, T, Cout] (without wo [B, T, H·Dv]), weights [B, H, T, S], the alignment of both.
 * Conventions: lengths and widths of the two may differ; `keyLengths` are those of memory. Masks, NaN and empty rows
 * as in `multiHeadAttention`.
 * Cost: as multi-head attention's. Papers: Bahdanau, Cho & Bengio 2014, arxiv.org/abs/1409.0473; Vaswani et al. 2017,
 * §3.2.3, arxiv.org/abs/1706.03762.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE, HEADS · and what `attention` throws for its options
 * @draws
 * // Nine words find theirs in a memory of fourteen, where they stand in another order.
 * const memory = tf.expandDims(tf.eye(14), 0);
 * const order = tf.tensor1d([2, 0, 1, 5, 6, 4, 12, 9, 10], "int32");
 * const x = tf.gather(memory, order, 1);
 * const [wq, w] = [14, 1].map((n) => tf.reshape(tf.mul(tf.eye(14), n), [14, 1, 14]));
 * return tf.squeeze(crossAttention(x, memory, { wq, wk: w, wv: w }, { weights: true }).weights);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3);
 * const parameters = { wq: w(4, 2, 3), wk: w(7, 2, 3), wv: w(7, 2, 5), wo: w(2, 5, 4) };
 * const { weights } = crossAttention(queries, values, parameters, { keyLengths: [3, 5], weights: true });
 * weights.shape; // [2, 2, 3, 5]
 */
export function crossAttention<const O extends MultiHeadOptions>(
  x: tf.Tensor3D,
  memory: tf.Tensor3D,
  parameters: MultiHeadParameters,
  options: O = {} as O,
): MultiHeadResult<O> {
  return multiHeadAttention({ query: x, value: memory }, parameters, options, "crossAttention");
}
