import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { applyRope, type RotateOptions } from "./rope.ts";
import { ropeFrequencies } from "./rope-frequencies.ts";
import { type RopeTable, tableOf } from "./rope-table.ts";

export interface Rope2dOptions extends RotateOptions {
  /** Height of the image in patches. */
  rows: number;
  /** Width of the image in patches. */
  columns: number;
  /** The slowest pair turns once in 2π·base patches. @default 100 */
  base?: number;
}

/**
 * Axial rotary embedding of an image's patches: one half of the pairs turns with the row, the other with the column.
 *
 *     pair i < D/4:  by y·θ_i        pair D/4 + i:  by x·θ_i        θ_i = base^(−4i/D)
 *
 * Symbols: y, x the row and column of patch t = y·columns + x.
 * Shapes: x [B, H, rows·columns, D], or with heads after positions → the same; D a multiple of 4.
 * Conventions: scores depend on the two distances alone. With interleaved pairs the first half of the channels
 * belongs to the row; with "half", each quarter alternates. The base of images is small.
 * Cost: O(B·H·T·D).
 * Paper: Heo et al. 2024, §3.2, arxiv.org/abs/2403.13298.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * // How the patch in the middle scores all others where queries and keys are equal.
 * const x = rope2d(tf.ones([1, 1, 169, 16]), { rows: 13, columns: 13, base: 20 });
 * return tf.reshape(tf.matMul(tf.slice(x, [0, 0, 84, 0], [1, 1, 1, 16]), x, false, true), [13, 13]);
 * @example
 * rope2d(tf.ones([1, 1, 6, 8]), { rows: 2, columns: 3 }).shape; // [1, 1, 6, 8]
 */
export function rope2d(
  x: tf.Tensor4D,
  { rows, columns, base = 100, ...options }: Rope2dOptions,
): tf.Tensor4D {
  const op = "rope2d";
  checkRank(op, options.layout === "bthd" ? "x [B, T, H, D]" : "x [B, H, T, D]", x, 4);
  checkCount(op, "rows", rows);
  checkCount(op, "columns", columns);
  const D = x.shape[3];
  if (D === 0 || D % 4 !== 0)
    throw new OptionError("OPTION", outOfRange({ op, name: "D", rule: "a multiple of 4", got: D }));
  const T = x.shape[options.layout === "bthd" ? 1 : 2]!;
  if (T !== rows * columns) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `x must have T = rows·columns = ${rows * columns} patches`,
      got: `T = ${T}`,
      remedy: "leave other positions, such as a class token, out",
    });
  }
  return tf.tidy(() => applyRope(x, rope2dTable(rows, columns, D, base), options));
}

/** The table of an axial rotary embedding, [rows·columns, D/2] each. */
function rope2dTable(rows: number, columns: number, D: number, base: number): RopeTable {
  const { frequencies } = ropeFrequencies(D / 2, { base });
  const quarter = frequencies.length;
  const both = Float64Array.from([...frequencies, ...frequencies]);
  return tableOf(rows * columns, both, 1, (t, i) => (i < quarter ? Math.floor(t / columns) : t % columns));
}
