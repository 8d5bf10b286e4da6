import * as tf from "@tensorflow/tfjs-core";
import { bestKey, oneHotKeys } from "./best-key.ts";

/**
 * Hardmax over the keys: all weight on the best one.
 *
 *     α_s = 1 if s is the first with e_s = max_r e_r, else 0
 *
 * Symbols: e scores, α weights. Shapes: [..., S] → [..., S].
 * Conventions: of equal scores the first wins. A row of −∞ alone gives 0 everywhere. The gradient is 0: nothing
 * trains through it but the values, so a model that has only this cannot learn where to look; train with
 * `gumbelSoftmax`, `straightThrough` or `sampledAttention`, and use this at inference.
 * Cost: O(size). Paper: the hard attention of Xu et al. 2015, §4.1, at its most likely location,
 * arxiv.org/abs/1502.03044.
 *
 * @draws
 * const i = tf.range(0, 12);
 * return hardmax(tf.cos(tf.mul(tf.sub(tf.reshape(tf.mul(i, 1.4), [12, 1]), tf.reshape(i, [1, 12])), 0.5)));
 * @example
 * hardmax(tf.tensor2d([[1, 3, 3], [-Infinity, -Infinity, -Infinity]])); // [[0, 1, 0], [0, 0, 0]]
 */
export function hardmax<T extends tf.Tensor>(scores: T): T {
  return (scores.size === 0 ? tf.clone(scores) : tf.tidy(() => rowHardmax(scores))) as T;
}

const rowHardmax = tf.customGrad((scores) => {
  const x = scores as tf.Tensor;
  return {
    value: oneHotKeys(bestKey(x), x.shape[x.rank - 1]!),
    gradFunc: (dweights: tf.Tensor) => tf.zerosLike(dweights),
  };
});
