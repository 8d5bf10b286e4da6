import * as tf from "@tensorflow/tfjs-core";

/** x·W along the last axis: x [B, N, D], w [D, A] → [B, N, A], as one product of B·N rows. */
export function linear(x: tf.Tensor3D, w: tf.Tensor2D, transposeW = false): tf.Tensor3D {
  const [B, N, D] = x.shape;
  const rows = tf.matMul(tf.reshape(x, [B * N, D]), w, false, transposeW);
  return tf.reshape(rows, [B, N, rows.shape[1]!]);
}
