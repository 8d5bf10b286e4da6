import * as tf from "@tensorflow/tfjs-core";
import { aboveThreshold, belowLargest, gradientOnSupport, toSumOne } from "./threshold.ts";

/**
 * Sparsemax over the keys: the nearest point of the simplex, with weights that are exactly 0.
 *
 *     sparsemax(e) = argmin_{p ∈ Δ} ‖p − e‖²,    p_s = [e_s − τ]₊,    τ such that Σ_s p_s = 1
 *
 * Symbols: e scores, p weights, Δ the simplex, τ the threshold; the support is where p_s > 0.
 * Shapes: [..., S] → [..., S].
 * Conventions: a score of −∞ hides its key: weight 0 and gradient 0; a row of −∞ alone gives 0 everywhere. A key whose
 * score is 1 or more below the best has the weight 0. Gradient on the support: dp minus its mean there, 0 elsewhere;
 * differentiable once.
 * Cost: O(size · log S) at most, in passes over the array; nothing is sorted.
 * Paper: Martins & Astudillo 2016, (2), (9) and (14), arxiv.org/abs/1602.02068.
 *
 * @draws
 * const i = tf.range(0, 12);
 * const distance = tf.abs(tf.sub(tf.reshape(i, [12, 1]), tf.reshape(i, [1, 12])));
 * return sparsemax(tf.mul(distance, -0.3));
 * @example
 * sparsemax(tf.tensor2d([[0.5, 0.25, -1, -Infinity]])); // [[0.625, 0.375, 0, 0]]
 */
export function sparsemax<T extends tf.Tensor>(scores: T): T {
  return (scores.size === 0 ? tf.clone(scores) : tf.tidy(() => rowSparsemax(scores))) as T;
}

const rowSparsemax = tf.customGrad((scores, save) => {
  const weights = toSumOne(aboveThreshold(belowLargest(scores as tf.Tensor), 1));
  (save as tf.GradSaveFunc)([weights]);
  return {
    value: weights,
    gradFunc: (dweights: tf.Tensor, [p]: tf.Tensor[]) => gradientOnSupport(dweights, tf.step(p!)),
  };
});
