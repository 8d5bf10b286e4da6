import type * as tf from "@tensorflow/tfjs-core";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";

export interface SoftAttentionOptions extends AttentionOptions {}

export type SoftAttentionResult<O> = AttentionResult<O>;

/**
 * Soft attention: every query reads a weighted mean of all values it may see.
 *
 *     out_t = Σ_s α_ts v_s,    α_t = softmax_s(scale · q_t·k_s + bias_ts)
 *
 * Symbols: q queries, k keys, v values, α weights; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv]; H a multiple of Hkv.
 * Conventions: query head h reads key/value head ⌊h·Hkv/H⌋, nothing is copied for it. Options are those of the
 * attention program (core/program.ts); masks, bias, lengths and windows compose. A row without a visible key gives
 * 0 output, 0 weights, lse −∞ and 0 gradients. NaN in hidden places leaks nowhere, whether allow, lengths, causality,
 * window or a bias of −∞ hide them; what is seen gives the same with a mask as without one, NaN and infinities too.
 * Rows of weights sum to 1 (less with a sink), whether asked for or not. Differentiable in q, k, v, bias and sink.
 * It is the op `attention` of heed/ops: one kernel on the `heed` backend.
 * Cost: O(B·H·T·S·(D + Dv)) time; memory O(B·H·(T + S)·D) on `heed`, O(B·H·T·S) elsewhere without `queryChunkSize`
 * or `keyChunkSize`, or where the weights are asked for. Paper: Vaswani et al. 2017, §3.2.1, arxiv.org/abs/1706.03762.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS · and what `compileProgram` throws
 * @draws
 * const q = tf.randomNormal([1, 1, 12, 4], 0, 2, "float32", 1);
 * return softAttention(q, q, q, { weights: true }).weights;
 * @example
 * const { output, weights } = softAttention(q, k, v, { causal: true, weights: true });
 */
export function softAttention<const O extends SoftAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): SoftAttentionResult<O> {
  return attention(q, k, v, options, "softAttention");
}
