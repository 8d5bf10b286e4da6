import * as tf from "@tensorflow/tfjs-core";
import { exponentiate } from "./exponentials.ts";
import { canRead } from "./guard.ts";

/**
 * Softmax over the keys, safe in every row.
 *
 *     softmax(e)_s = exp(e_s − m) / Σ_r exp(e_r − m),    m = max_r e_r
 *
 * Shapes: [..., S] → [..., S]. Conventions: a score of −∞ hides its key: weight 0 and gradient 0; a row of −∞ alone
 * gives 0 everywhere. Scores of any size are safe, since the largest exponent is 0; scores of +∞ share the whole
 * weight of their row, and NaN makes its own row NaN. Differentiable.
 * Cost: O(size). Paper: the weights α of Bahdanau, Cho & Bengio 2014, (6), arxiv.org/abs/1409.0473.
 *
 * @draws
 * const scores = tf.stack([0.25, 0.5, 1, 2, 4, 8].map((sharpness) => tf.mul(tf.linspace(-1, 1, 12), sharpness)));
 * return softmax(scores);
 * @example
 * softmax(tf.tensor2d([[0, Math.log(3), -Infinity]])); // [[0.25, 0.75, 0]]
 */
export function softmax<T extends tf.Tensor>(scores: T): T {
  return rowSoftmax(scores) as T;
}

const rowSoftmax = tf.customGrad((scores, save) => {
  const weights = stockSoftmax(scores as tf.Tensor) ?? anySoftmax(scores as tf.Tensor);
  (save as tf.GradSaveFunc)([weights]);
  return {
    value: weights,
    gradFunc: (dweights: tf.Tensor, [p]: tf.Tensor[]) => {
      const product = tf.mul(dweights, p!);
      return tf.sub(product, tf.mul(tf.sum(product, -1, true), p!));
    },
  };
});

/** TensorFlow.js' softmax, one kernel, where it can be seen that it made no row NaN. */
function stockSoftmax(scores: tf.Tensor): tf.Tensor | undefined {
  if (!canRead() || scores.size === 0) return undefined;
  const weights = tf.softmax(scores);
  return Number.isNaN(tf.tidy(() => tf.sum(weights).dataSync()[0])) ? undefined : weights;
}

function anySoftmax(scores: tf.Tensor): tf.Tensor {
  const { exponentials, total } = exponentiate(scores);
  // The largest term of a row that is not empty is 1, so only empty rows are touched.
  return tf.div(exponentials, tf.maximum(total, 1));
}

/**
 * ln Σ_s exp(e_s) over the keys: [..., S] → [...]. −∞ for a row of −∞ alone; the gradient is the softmax.
 * Differentiable once: the gradient's own gradient is not that of the softmax.
 *
 * @example
 * logSumExp(tf.tensor2d([[0, Math.log(3), -Infinity]])); // [ln 4]
 */
export function logSumExp(scores: tf.Tensor): tf.Tensor {
  return rowLogSumExp(scores);
}

const rowLogSumExp = tf.customGrad((scores, save) => {
  const { exponentials, total, most } = exponentiate(scores as tf.Tensor);
  (save as tf.GradSaveFunc)([tf.div(exponentials, tf.maximum(total, 1))]);
  const value = tf.add(tf.log(total), most);
  return {
    value: tf.squeeze(value, [value.rank - 1]),
    gradFunc: (dlse: tf.Tensor, [p]: tf.Tensor[]) => tf.mul(tf.expandDims(dlse, -1), p!),
  };
});
