/** Normalisations of the last axis that have no kernel of their own. */
import * as tf from "@tensorflow/tfjs-core";

/** γ ⊙ x / √(mean(x²) + ε): root mean square, nothing is centred. */
export function rmsNorm<X extends tf.Tensor>(x: X, gamma: tf.Tensor1D | undefined, epsilon: number): X {
  const normal = tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon)));
  return (gamma ? tf.mul(normal, gamma) : normal) as X;
}

/** x / √(Σ x² + ε): vectors of length 1, and 0 for 0. */
export function unit<X extends tf.Tensor>(x: X, epsilon: number): X {
  return tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), -1, true), epsilon))) as X;
}
