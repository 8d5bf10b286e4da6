import * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, wrongParameter } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { rotatePairs } from "../../ops/rotate-pairs.ts";
import { type RopeScaling, ropeFrequencies } from "./rope-frequencies.ts";
import { type RopeTable, tableOf } from "./rope-table.ts";

export type { RopeTable } from "./rope-table.ts";

export interface RopeTableOptions {
  /** The slowest pair turns once in 2π·base positions. @default 10000 */
  base?: number;
  /** For contexts longer than training's. @default none */
  scaling?: RopeScaling;
  /** The position of the first vector, as with a cache of earlier ones. @default 0 */
  offset?: number;
}

export interface RotateOptions {
  /** Which channels turn together: c and c + R/2 (Llama, HF), or 2c and 2c + 1 (the paper, GPT-J). @default "half" */
  pairs?: "half" | "interleaved";
  /** Order of x's axes, as in the op `attention`. @default "bhtd" */
  layout?: "bhtd" | "bthd";
}

export interface RopeOptions extends RopeTableOptions, RotateOptions {
  /** How many channels, from the first on, are rotated; the others stay as they are. Even. @default D */
  width?: number;
}

/**
 * Rotary position embedding (RoPE): queries and keys turn with their position, so that scores know distances.
 *
 *     (x_a, x_b) → (x_a cos tθ_i − x_b sin tθ_i,  x_b cos tθ_i + x_a sin tθ_i),    θ_i = base^(−2i/R)
 *
 * Symbols: t a vector's position; R rotated channels; (a, b) the pair i of channels, (i, i + R/2) or (2i, 2i + 1).
 * Shapes: x [B, H, T, D], or [B, T, H, D] with `layout: "bthd"` → the same.
 * Conventions: apply it to queries and keys, not to values; q_s·k_t then depends on positions by s − t alone. A cache
 * holds rotated keys, so give each its own offset. Weights trained with one kind of pairs need that kind.
 * Differentiable; the gradient is the rotation back.
 * Cost: O(B·H·T·R).
 * Paper: Su et al. 2021, §3.2.2 and (34), arxiv.org/abs/2104.09864.
 *
 * @throws ShapeError RANK · OptionError OPTION
 * @draws
 * // Equal queries and keys: what is left is how far they are from each other.
 * const ones = rope(tf.ones([1, 1, 24, 8]), { base: 100 });
 * return tf.matMul(ones, ones, false, true);
 * @example
 * const rotated = rope(tf.tensor4d([[[[1, 0], [1, 0]]]])); // B = H = 1, T = D = 2: by 0 and by 1 radian
 * tf.reshape(rotated, [2, 2]); // [[1, 0], [0.5403, 0.8415]]
 */
export function rope(x: tf.Tensor4D, { width, pairs, layout, ...options }: RopeOptions = {}): tf.Tensor4D {
  const op = "rope";
  checkRank(op, layout === "bthd" ? "x [B, T, H, D]" : "x [B, H, T, D]", x, 4);
  const D = x.shape[3];
  const R = width ?? D;
  checkWidth(op, R, D);
  return tf.tidy(() => {
    const T = x.shape[layout === "bthd" ? 1 : 2]!;
    return applyRope(x, ropeTable(T, R, options), { pairs, layout });
  });
}

/**
 * The table of a rotary embedding, for queries and keys, or steps and layers, that share it.
 *
 * @throws OptionError OPTION
 * @example
 * const table = ropeTable(5, 4); // T = 5 positions, R = 4 channels
 * const [queries, keys] = [applyRope(q, table), applyRope(k, table)];
 */
export function ropeTable(T: number, R: number, options: RopeTableOptions = {}): RopeTable {
  const op = "ropeTable";
  const { base, scaling, offset = 0 } = options;
  checkCount(op, "T", T);
  checkCount(op, "offset", offset, 0);
  const { frequencies, magnitude } = ropeFrequencies(R, { base, scaling });
  return tableOf(T, frequencies, magnitude, (t) => t + offset);
}

/**
 * Rotates the first R channels by a table that was made before.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @example
 * applyRope(q, ropeTable(5, 2), { pairs: "interleaved" }); // the first two channels of four
 */
export function applyRope(
  x: tf.Tensor4D,
  { cos, sin }: RopeTable,
  { pairs = "half", layout = "bhtd" }: RotateOptions = {},
): tf.Tensor4D {
  const op = "rope";
  checkChoice(op, "pairs", pairs, ["half", "interleaved"]);
  checkChoice(op, "layout", layout, ["bhtd", "bthd"]);
  checkRank(op, layout === "bthd" ? "x [B, T, H, D]" : "x [B, H, T, D]", x, 4);
  const T = x.shape[layout === "bthd" ? 1 : 2]!;
  const half = cos.shape[1];
  for (const [name, got] of [
    ["cos [T, R/2]", cos.shape],
    ["sin [T, R/2]", sin.shape],
  ] as const) {
    if (got[0] !== T || got[1] !== half)
      throw new ShapeError("SHAPE", wrongParameter({ op, name, expected: [T, half], got }));
  }
  checkWidth(op, 2 * half, x.shape[3]);
  return rotatePairs(x, { cos, sin }, { pairs, layout });
}

function checkWidth(op: string, R: number, D: number): void {
  if (Number.isSafeInteger(R) && R >= 2 && R <= D && R % 2 === 0) return;
  const rule = `an even integer from 2 to D = ${D}`;
  throw new OptionError("OPTION", outOfRange({ op, name: "width", rule, got: R }));
}
