import * as tf from "@tensorflow/tfjs-core";

/**
 * The largest element along some axes, which stay with length 1. Where several are the largest, the gradient is
 * shared evenly among them, as PyTorch's `amax` does: TensorFlow.js' own would give each of them all of it, H·W
 * times too much for a channel that a ReLU has emptied.
 */
export function evenMax<T extends tf.Tensor>(x: T, axes: number[]): T {
  const largest = tf.customGrad((given, save) => {
    const input = given as tf.Tensor;
    const value = tf.max(input, axes, true);
    (save as tf.GradSaveFunc)([input, value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      // x = max, as arithmetic: a comparison that broadcasts takes 40 times as long on WebAssembly.
      const ties = tf.sub(1, tf.step(tf.sub(saved[1]!, saved[0]!)));
      return tf.mul(ties, tf.div(dy, tf.sum(ties, axes, true)));
    };
    return { value, gradFunc };
  });
  return largest(x) as T;
}

/** Mean and largest element along one axis, side by side in a last axis of 2. */
export function meanAndMax(x: tf.Tensor4D, axis: number): tf.Tensor4D {
  return tf.stack(
    [tf.squeeze(tf.mean(x, axis, true), [axis]), tf.squeeze(evenMax(x, [axis]), [axis])],
    3,
  ) as tf.Tensor4D;
}

/** 1/x where x is not 0, else 0 with no gradient. */
export function inverseOrZero<T extends tf.Tensor>(x: T): T {
  const inverse = tf.customGrad((given, save) => {
    const input = given as tf.Tensor;
    const zero = tf.equal(input, 0);
    const value = tf.where(zero, tf.zerosLike(input), tf.div(1, tf.where(zero, tf.onesLike(input), input)));
    (save as tf.GradSaveFunc)([value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.neg(tf.mul(dy, tf.square(saved[0]!)));
    return { value, gradFunc };
  });
  return inverse(x) as T;
}

/** ln Σ exp along the last axis, which stays with length 1; its gradient is one softmax. */
export function logSumExp<T extends tf.Tensor>(x: T): T {
  const lse = tf.customGrad((given, save) => {
    const input = given as tf.Tensor;
    const largest = tf.max(input, -1, true);
    const value = tf.add(largest, tf.log(tf.sum(tf.exp(tf.sub(input, largest)), -1, true)));
    (save as tf.GradSaveFunc)([input, value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, tf.exp(tf.sub(saved[0]!, saved[1]!)));
    return { value, gradFunc };
  });
  return lse(x) as T;
}
