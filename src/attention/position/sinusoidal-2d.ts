import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkPositive } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { writeSinusoids } from "./sinusoids.ts";

/**
 * Sinusoidal encoding of an image's positions: one half of the channels for the row, the other for the column.
 *
 *     PE(y, x) = [PE₁(y), PE₁(x)],    PE₁ the sinusoidal encoding of C/2 channels
 *
 * Symbols: y a row, x a column.
 * Shapes: → [rows, columns, C], to be added to images [B, H, W, C]; flattened over rows and columns, to patches.
 * Conventions: rows come first (the authors of MAE put columns first); C is a multiple of 4. No parameters.
 * Cost: O(rows·columns·C).
 * Papers: Carion et al. 2020 (DETR), appendix A.4, arxiv.org/abs/2005.12872; Chen, Xie & He 2021 (MoCo v3),
 * arxiv.org/abs/2104.02057.
 *
 * @throws OptionError OPTION
 * @draws
 * // Four of the channels: a slow wave down, a slow one across, and their faster neighbours.
 * const all = sinusoidalEncoding2d(12, 12, 16, { base: 20 });
 * return tf.transpose(tf.gather(all, [2, 4, 10, 12], 2), [2, 0, 1]);
 * @example
 * sinusoidalEncoding2d(2, 3, 8).shape; // [2, 3, 8]
 */
export function sinusoidalEncoding2d(
  rows: number,
  columns: number,
  C: number,
  { base = 10_000 }: { base?: number } = {},
): tf.Tensor3D {
  const op = "sinusoidalEncoding2d";
  checkCount(op, "rows", rows);
  checkCount(op, "columns", columns);
  checkPositive(op, "base", base);
  if (!(Number.isSafeInteger(C) && C > 0 && C % 4 === 0)) {
    throw new OptionError("OPTION", outOfRange({ op, name: "C", rule: "a multiple of 4", got: C }));
  }
  const half = C / 2;
  const out = new Float32Array(rows * columns * C);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const start = (y * columns + x) * C;
      writeSinusoids(out, start, half, y, base);
      writeSinusoids(out, start + half, half, x, base);
    }
  }
  return tf.tensor3d(out, [rows, columns, C]);
}
