import * as tf from "@tensorflow/tfjs-core";

/** x / √(Σ x² + ε): vectors of length 1, and 0 for 0. */
export function unit<X extends tf.Tensor>(x: X, epsilon: number): X {
  return tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), -1, true), epsilon))) as X;
}
