import * as tf from "@tensorflow/tfjs-core";

/** v·tanh(query + key) of every pair: query [B, T, A], key [B, S, A], v [A] → [B, T, S]. */
export function hiddenScore(query: tf.Tensor3D, key: tf.Tensor3D, v: tf.Tensor1D): tf.Tensor3D {
  const [B, T, A] = query.shape;
  const S = key.shape[1];
  const hidden = tf.tanh(tf.add(tf.reshape(query, [B, T, 1, A]), tf.reshape(key, [B, 1, S, A])));
  return tf.reshape(tf.matMul(tf.reshape(hidden, [B * T * S, A]), tf.reshape(v, [A, 1])), [B, T, S]);
}
