import * as tf from "@tensorflow/tfjs-core";
import { checkRank } from "../../core/shapes.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";

/**
 * Multi-query attention: all query heads read the same keys and values, which have no heads.
 *
 *     output_h = softmax(q_h·kᵀ · scale)·v
 *
 * Symbols: h a query head; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, S, D], v [B, S, Dv] → output [B, H, T, Dv], weights [B, H, T, S]. With
 * `layout: "bthd"` q and output are [B, T, H, ·].
 * Conventions: grouped-query attention of one group, so options, masks and empty rows are the same; nothing is repeated
 * in memory.
 * Cost: time of H heads; keys, values and a cache of them take 1/H of the memory.
 * Paper: Shazeer 2019, §3, arxiv.org/abs/1911.02150.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · and what `attention` throws for its options
 * @draws
 * // Three query heads ask the same keys for the position before, their own and the one after.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const code = (x) => tf.concat([tf.cos(x), tf.sin(x)], 1);
 * const steps = [-2, 0, 2].map((step) => tf.mul(step, tf.tensor1d([0.26, 0.52, 1.05, 1.57])));
 * const q = tf.expandDims(tf.stack(steps.map((step) => tf.mul(code(tf.add(at, step)), 4))), 0);
 * const k = tf.expandDims(code(at), 0);
 * return tf.squeeze(multiQueryAttention(q, k, k, { weights: true }).weights, [0]);
 * @example
 * multiQueryAttention(q, keys, values, { causal: "topLeft" }).output.shape; // [2, 3, 5, 7]
 */
export function multiQueryAttention<const O extends AttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  options: O = {} as O,
): AttentionResult<O> {
  const op = "multiQueryAttention";
  checkRank(op, "k [B, S, D]", k, 3);
  checkRank(op, "v [B, S, Dv]", v, 3);
  const axis = options.layout === "bthd" ? 2 : 1;
  return tidyAsked((): AttentionResult<AttentionOptions> => {
    const oneHead = (x: tf.Tensor3D) => tf.expandDims<tf.Tensor4D>(x, axis);
    return attention(q, oneHead(k), oneHead(v), options, op);
  });
}
