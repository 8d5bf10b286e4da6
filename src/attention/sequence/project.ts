/** What a mechanism makes of its inputs before attention, when some of their rows may be hidden. */
import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../core/program.ts";
import { hasBand } from "../../core/program-rows.ts";
import { guardedMap } from "../../ops/attention/guard.ts";
import { linear } from "../../ops/linear.ts";

/**
 * `map` of queries, keys or values. It runs over rows that no query sees too, whose NaN the gradients of its weights
 * must not meet: there the value is that of the inputs, the gradient that of clean ones.
 */
export function project<X extends tf.Tensor, Y extends tf.Tensor>(
  program: AttentionProgram<tf.Tensor>,
  x: X,
  map: (x: X) => Y,
  finite: boolean | undefined,
): Y {
  return !finite && hidesRows(program) ? guardedMap(x, map) : map(x);
}

/** Whether there may be a query that sees nothing, or a key that nothing sees. */
function hidesRows(program: AttentionProgram<tf.Tensor>): boolean {
  const { allow, bias, queryLengths, keyLengths, offset, shapes } = program;
  if (allow || bias || queryLengths || keyLengths) return true;
  // In a band along the diagonal every position sees itself.
  return hasBand(program) && !(shapes.T === shapes.S && offset === 0);
}

/** The heads of x in one product: x [B, N, C], w [C, H, D], b [H, D] → [B, N, H, D]. */
export function toHeads(x: tf.Tensor3D, w: tf.Tensor3D, b?: tf.Tensor2D): tf.Tensor4D {
  const [B, N] = x.shape;
  const [C, H, D] = w.shape;
  const rows = linear(x, tf.reshape(w, [C, H * D]), b && tf.reshape(b, [H * D]));
  return tf.reshape(rows, [B, N, H, D]);
}

/** Heads side by side, and their common projection: [B, T, H, Dv], w [H, Dv, C], b [C] → [B, T, C]. */
export function fromHeads(heads: tf.Tensor4D, w?: tf.Tensor3D, b?: tf.Tensor1D): tf.Tensor3D {
  const [B, T, H, Dv] = heads.shape;
  const rows = tf.reshape<tf.Rank.R3>(heads, [B, T, H * Dv]);
  return w ? linear(rows, tf.reshape(w, [H * Dv, w.shape[2]]), b) : rows;
}
