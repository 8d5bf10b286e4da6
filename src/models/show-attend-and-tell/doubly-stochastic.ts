import * as tf from "@tensorflow/tfjs-core";

/**
 * The doubly stochastic penalty: how far the words of a caption are from having looked at every place once.
 *
 *     penalty = Σ_i (1 − Σ_t α_ti)²
 *
 * Symbols: α_ti the weight of place i at word t; a softmax makes Σ_i α_ti = 1, the penalty asks the same of the columns.
 * Shapes: weights [T, B, L], isWord [T, B] of 0 and 1 → [B]. Conventions: steps that are no word count nothing. With T words
 * it is least, (L − T)²/L, where all places are looked at equally. Cost: O(T·B·L).
 * Paper: Xu et al. 2015, §4.2.1, arxiv.org/abs/1502.03044.
 *
 * @example
 * const everywhere = tf.fill([2, 1, 2], 0.5); // two words look at two places equally
 * doublyStochasticPenalty(everywhere, tf.ones([2, 1])); // [0]
 */
export function doublyStochasticPenalty(weights: tf.Tensor3D, isWord: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const looked = tf.sum(tf.mul(weights, tf.expandDims(isWord, 2)), 0);
    return tf.sum<tf.Tensor1D>(tf.square(tf.sub(1, looked)), 1);
  });
}

/**
 * The same of one caption's maps in ordinary memory.
 *
 * @example
 * unevenness([[0.5, 0.5], [1, 0]]); // (1 − 1.5)² + (1 − 0.5)² = 0.5
 */
export function unevenness(maps: readonly ArrayLike<number>[]): number {
  const places = maps[0]?.length ?? 0;
  let penalty = 0;
  for (let i = 0; i < places; i++) penalty += (1 - maps.reduce((sum, map) => sum + map[i]!, 0)) ** 2;
  return penalty;
}
