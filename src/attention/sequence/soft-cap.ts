import type * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";

export interface SoftCapOptions extends AttentionOptions {
  /** The bound that scores approach and never pass; a positive number. Gemma 2 has 50. */
  softCap: number;
}

/**
 * Soft-capped attention: scores are squashed into ±softCap, so that no key can outweigh all others.
 *
 *     output_t = Σ_s softmax_s(softCap · tanh(scale · q_t·k_s / softCap) + bias_ts) v_s
 *
 * Symbols: scale = 1/√D; bias an option. Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output
 * [B, H, T, Dv], weights [B, H, T, S].
 * Conventions: after the scale, before bias and masks, as in Gemma 2 and ONNX Attention-25, so a mask stays a mask. Two
 * weights of a row differ by at most the factor exp(2·softCap) without a bias. Other options as `softAttention`'s.
 * Cost: as soft attention's, in the same kernel. Paper: Gemma Team 2024, §2, arxiv.org/abs/2408.00118, after Bello et
 * al. 2016, arxiv.org/abs/1611.09940.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION · and what `attention` throws
 *   for its other options
 * @draws
 * // The same scores, ever more tightly capped.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const x = tf.reshape(tf.concat([tf.cos(at), tf.sin(at)], 1), [1, 1, 12, 8]);
 * const caps = [50, 4, 1].map((softCap) => softCapAttention(x, x, x, { scale: 3, softCap, weights: true }).weights);
 * return tf.squeeze(tf.concat(caps, 1), [0]);
 * @example
 * const { output } = softCapAttention(q, k, v, { softCap: 50, causal: true });
 */
export function softCapAttention<const O extends SoftCapOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O,
): AttentionResult<O> {
  const op = "softCapAttention";
  if (options.softCap === undefined) {
    const remedy = "softAttention is the one without";
    throw new OptionError("OPTION", { op, rule: "softCap must be given", got: "undefined", remedy });
  }
  return attention(q, k, v, options, op);
}
