/** Rows that see no key, in chunks: refused, or the mean of the keys within `keyLengths`. */
import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../../core/errors.ts";
import { emptyRow } from "../../../core/faults.ts";
import type { AttentionProgram } from "../../../core/program.ts";
import { type Chunk, dropped } from "./scores.ts";

type Program = AttentionProgram<tf.Tensor>;

/**
 * 1/n for each row that sees no key and has the mean of n instead, 0 for the others, [B, H, rows, 1]; undefined where there
 * is none.
 *
 * @param empty 1 for each row that sees no key, [B, H, rows, 1]
 * @throws OptionError EMPTY_ROW
 */
export function uniformShares(program: Program, firstQuery: number, empty: tf.Tensor): tf.Tensor | undefined {
  const { op, onEmptyRow, queryLengths, keyLengths, shapes } = program;
  if (onEmptyRow === "zero") return undefined;
  const [, H, rows] = empty.shape as [number, number, number];
  const shares = new Float32Array(empty.size);
  for (const [row, isEmpty] of empty.dataSync().entries()) {
    const [b, h, i] = [Math.floor(row / (H * rows)), Math.floor(row / rows) % H, firstQuery + (row % rows)];
    if (isEmpty !== 1 || i >= (queryLengths?.[b] ?? Infinity)) continue;
    if (onEmptyRow === "error") throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h, i }));
    shares[row] = 1 / (keyLengths?.[b] ?? shapes.S);
  }
  return shares.some((share) => share > 0) ? tf.tensor(shares, empty.shape) : undefined;
}

/** The weights of such rows for a chunk of keys, dropout among them: [B, H, rows, keys]. */
export function uniformWeights(program: Program, chunk: Chunk, shares: tf.Tensor): tf.Tensor {
  const { B, S } = chunk.part.shapes;
  const inside = new Float32Array(B * S);
  for (let b = 0; b < B; b++) {
    const n = (program.keyLengths?.[b] ?? program.shapes.S) - chunk.keys[0];
    inside.fill(1, b * S, b * S + Math.max(0, Math.min(n, S)));
  }
  return dropped(program, chunk, tf.mul(shares, tf.tensor(inside, [B, 1, 1, S])));
}
