import type * as tf from "@tensorflow/tfjs-core";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";

/**
 * Grouped-query attention: groups of H/Hkv query heads share the keys and values of one head.
 *
 *     output_h = softmax(q_h·k_gᵀ · scale)·v_g,    g = ⌊h·Hkv/H⌋
 *
 * Symbols: h a query head, g the key/value head of its group; scale = 1/√D. Hkv = H is multi-head attention, Hkv = 1
 * multi-query attention.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], weights [B, H, T, S]; H a
 * multiple of Hkv. With `layout: "bthd"` positions come before heads.
 * Conventions: neighbours share a head, [g0, g0, g1, g1] for H = 4 and Hkv = 2, as in PyTorch, JAX and Keras; nothing
 * is repeated in memory. It is `softAttention` where the heads may differ, so options, masks and empty rows are the
 * same; `multiHeadAttention` is it with projections.
 * Cost: time of H heads; keys, values and a cache of them take Hkv/H of the memory.
 * Paper: Ainslie et al. 2023, §2.2, arxiv.org/abs/2305.13245.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · and what `attention` throws for its options
 * @draws
 * // Four query heads and two key heads: the first two panels read one head, the last two the other.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const code = (shift) => tf.concat([tf.cos(tf.add(at, shift)), tf.sin(tf.add(at, shift))], 1);
 * const q = tf.expandDims(tf.stack([1, 3, 1, 3].map((sharpness) => tf.mul(code(0), sharpness))), 0);
 * const k = tf.expandDims(tf.stack([code(0), tf.reverse(code(0), 0)]), 0);
 * return tf.squeeze(groupedQueryAttention(q, k, k, { weights: true }).weights, [0]);
 * @example
 * const shared = tf.randomNormal([2, 1, 5, 4]); // one head for all three of q
 * groupedQueryAttention(q, shared, shared).output.shape; // [2, 3, 5, 4]
 */
export function groupedQueryAttention<const O extends AttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): AttentionResult<O> {
  return attention(q, k, v, options, "groupedQueryAttention");
}
