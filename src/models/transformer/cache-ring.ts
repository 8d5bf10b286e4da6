/** The rows of a window as a ring: position p stands in row p modulo the rows. */
import * as tf from "@tensorflow/tfjs-core";

const modulo = (n: number, rows: number) => ((n % rows) + rows) % rows;

/** The last tokens of x [B, T, Hkv, D], each in its row: [B, capacity, Hkv, D]. Kept for the caller. */
export function ringRows(x: tf.Tensor4D, counts: Int32Array, capacity: number): tf.Tensor4D {
  const [, T, Hkv, D] = x.shape;
  return tf.tidy(() => {
    const flat = tf.reshape(x, [-1, Hkv, D]);
    // Row r holds the last position p < count with p modulo capacity = r.
    const indices = Array.from(counts, (count, b) => {
      const first = Math.max(0, count - capacity);
      return Array.from({ length: capacity }, (_, r) => {
        const position = first + modulo(r - first, capacity);
        return b * T + Math.min(position, Math.max(0, count - 1));
      });
    });
    const gathered = tf.gather(flat, tf.tensor1d(indices.flat(), "int32"));
    return tf.keep(tf.reshape<tf.Rank.R4>(gathered, [counts.length, capacity, Hkv, D]));
  });
}

/** Where the rows stand once each example has so many tokens. */
export function ringSpan(totals: Int32Array, capacity: number): { each: Int32Array } {
  const each = new Int32Array(totals.length * capacity);
  for (const [b, total] of totals.entries()) {
    const newest = total - 1;
    for (let r = 0; r < capacity; r++) each[b * capacity + r] = newest - modulo(newest - r, capacity);
  }
  return { each };
}
