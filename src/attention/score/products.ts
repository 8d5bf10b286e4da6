import * as tf from "@tensorflow/tfjs-core";
import { ofNothing } from "../../ops/attention/guard.ts";

/** q_t·k_s of every pair: queries [B, T, D], keys [B, S, D] → [B, T, S]. */
export function products(queries: tf.Tensor3D, keys: tf.Tensor3D): tf.Tensor3D {
  const [B, T] = queries.shape;
  const S = keys.shape[1];
  if (B * T * S === 0) return ofNothing([queries, keys], [B, T, S]) as tf.Tensor3D;
  return tf.matMul(queries, keys, false, true);
}
