import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";

/**
 * The key position of query 0, which has to be given unless T = S.
 *
 * @throws OptionError CONFLICT, OPTION
 */
export function offsetOfQueries(op: string, T: number, S: number, queryOffset: number | undefined): number {
  if (queryOffset === undefined) {
    if (T === S) return 0;
    throw new OptionError("CONFLICT", {
      op,
      rule: "relative positions must know where query 0 stands when T ≠ S",
      got: `T=${T} and S=${S}`,
      remedy:
        "give queryOffset, the key position of the first query (0 aligns the first ones, S − T the last ones)",
    });
  }
  if (Number.isSafeInteger(queryOffset)) return queryOffset;
  throw new OptionError(
    "OPTION",
    outOfRange({
      op,
      name: "queryOffset",
      rule: "an integer",
      got: queryOffset,
    }),
  );
}

/**
 * From distances to positions, without a loop or a gather: a row of L = T + S − 1 distances is read one column
 * further left in each row, which is a reshape to rows of L − 1.
 *
 *     out[…, i, j] = x[…, i, j − i + T − 1]
 *
 * Shapes: x […, T, T + S − 1] → […, T, S].
 */
export function distancesToKeys(x: tf.Tensor, T: number, S: number): tf.Tensor {
  const outer = x.shape.slice(0, -2);
  const rows = outer.reduce((n, m) => n * m, 1);
  if (T === 1) return x;
  const L = T + S - 1;
  const flat = tf.reshape(x, [rows, T * L]);
  const sheared = tf.reshape(tf.slice(flat, [0, T - 1], [rows, T * (L - 1)]), [rows, T, L - 1]);
  return tf.reshape(tf.slice(sheared, [0, 0, 0], [rows, T, S]), [...outer, T, S]);
}

/** The way back, 0 at the distances that a row does not have: […, T, S] → […, T, T + S − 1]. */
export function keysToDistances(x: tf.Tensor, T: number, S: number): tf.Tensor {
  const outer = x.shape.slice(0, -2);
  const rows = outer.reduce((n, m) => n * m, 1);
  if (T === 1) return x;
  const L = T + S - 1;
  const padded = tf.pad(tf.reshape(x, [rows, T, S]), [
    [0, 0],
    [0, 0],
    [0, L - 1 - S],
  ]);
  const flat = tf.pad(tf.reshape(padded, [rows, T * (L - 1)]), [
    [0, 0],
    [T - 1, 1],
  ]);
  return tf.reshape(flat, [...outer, T, L]);
}

/** The distance j − (i + offset) of each of the T + S − 1 columns. */
export function distances(T: number, S: number, offset: number): number[] {
  return Array.from({ length: T + S - 1 }, (_, u) => u - (T - 1) - offset);
}
