import * as tf from "@tensorflow/tfjs-core";
import { checkBroadcast } from "./check.ts";

export interface SigmoidWeightsOptions {
  /** b: a number, or a tensor that broadcasts to the scores, such as one learned for each head. @default −ln S */
  bias?: number | tf.Tensor;
}

/**
 * Sigmoid attention: every key is judged alone, without competition.
 *
 *     α_s = σ(e_s + b),    b = −ln S
 *
 * Symbols: e scores, α weights, S keys, σ the logistic sigmoid. Shapes: [..., S] → [..., S].
 * Conventions: rows need not sum to 1; with b = −ln S and scores near 0 they nearly do. A score of −∞ hides its key:
 * weight 0 and gradient 0; a row of −∞ alone gives 0 everywhere. S counts hidden keys too, as in the paper, so where
 * sources are padded, give a bias that does not depend on the padding. Differentiable in e and b.
 * Cost: O(size). Paper: Ramapuram et al. 2024, §2 and §3, arxiv.org/abs/2409.04431.
 *
 * @throws ShapeError SHAPE when a bias does not fit the scores
 * @draws
 * const i = tf.range(0, 12);
 * const wave = tf.sub(tf.reshape(i, [12, 1]), tf.reshape(i, [1, 12]));
 * return sigmoidWeights(tf.mul(tf.cos(tf.mul(wave, Math.PI / 3)), 6), { bias: -3 });
 * @example
 * sigmoidWeights(tf.tensor2d([[0, Math.log(3), -Infinity]]), { bias: 0 }); // [[0.5, 0.75, 0]]
 */
export function sigmoidWeights<T extends tf.Tensor>(scores: T, { bias }: SigmoidWeightsOptions = {}): T {
  const S = scores.shape[scores.rank - 1]!;
  if (bias instanceof tf.Tensor) {
    checkBroadcast("sigmoidWeights", { name: "bias", letters: "[..., S]" }, scores.shape, bias.shape);
  }
  if (scores.size === 0) return tf.clone(scores);
  return tf.tidy(() => tf.sigmoid(tf.add(scores, bias ?? -Math.log(S)))) as T;
}
