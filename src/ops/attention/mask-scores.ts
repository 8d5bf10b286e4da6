import * as tf from "@tensorflow/tfjs-core";

/**
 * Scores with −∞ wherever `allow` is false, by selection: what stood there, even NaN, reaches neither the result nor
 * the gradient. `allow` is bool, of a shape that broadcasts to the scores'.
 *
 * @example
 * maskScores(tf.tensor2d([[1, Number.NaN]]), tf.tensor2d([[1, 0]], [1, 2], "bool")); // [[1, -Infinity]]
 */
export function maskScores<T extends tf.Tensor>(scores: T, allow: tf.Tensor): T {
  const select = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([allow]);
    return {
      value: tf.where(allow, x as tf.Tensor, Number.NEGATIVE_INFINITY),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.where(saved!, dy, 0),
    };
  });
  return select(scores) as T;
}
