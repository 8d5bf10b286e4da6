import * as tf from "@tensorflow/tfjs-core";
import { ofNothing } from "../../ops/attention/guard.ts";

/** x·W along the last axis: x [B, N, D], w [D, A] → [B, N, A], as one product of B·N rows. */
export function linear(x: tf.Tensor3D, w: tf.Tensor2D, transposeW = false): tf.Tensor3D {
  const [B, N, D] = x.shape;
  if (B * N === 0) return ofNothing([x, w], [B, N, w.shape[transposeW ? 0 : 1]]) as tf.Tensor3D;
  const rows = tf.matMul(tf.reshape(x, [B * N, D]), w, false, transposeW);
  return tf.reshape(rows, [B, N, rows.shape[1]!]);
}
