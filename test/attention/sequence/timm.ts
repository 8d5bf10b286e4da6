/** What timm's layers do before and behind their attention: one product for q, k and v, and one behind the heads. */
import * as tf from "@tensorflow/tfjs-core";
import { casesOf } from "./fixture.ts";

export type Named = Record<string, tf.Tensor>;

/** timm's qkv: one product whose columns are q, k and v of all heads; heads [B, parts, N, D]. */
export function timmHeads(
  x: tf.Tensor,
  { "qkv.weight": w, "qkv.bias": b }: Named,
  parts: readonly [number, number, number],
) {
  const [, N, C] = x.shape as [number, number, number];
  const product = tf.matMul(tf.reshape(x, [-1, C]), w!, false, true);
  const columns = tf.split(b ? tf.add(product, b) : product, 3, 1);
  return columns.map((rows, n) =>
    tf.transpose(tf.reshape(rows, [x.shape[0]!, N, parts[n]!, C / parts[n]!]), [0, 2, 1, 3]),
  ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
}

export function timmOutput(output: tf.Tensor4D, { "proj.weight": w, "proj.bias": b }: Named) {
  const [batch, , N] = output.shape;
  const rows = tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [batch * N, -1]);
  return tf.reshape(tf.add(tf.matMul(rows, w!, false, true), b!), [batch, N, -1]);
}

/** The cases whose names begin so. */
export const timm = (start: string) => casesOf("timm").filter(([name]) => name.startsWith(start));
