/** `onEmptyRow: "uniform"`: rows that see no key weigh the keys within `keyLengths` alike. Rare, so plain loops. */
import { keyHead } from "../../core/notation.ts";
import { dropoutRow } from "../../core/program-rows.ts";
import type { HostProgram } from "./stripes.ts";

interface EmptyRow {
  readonly row: number;
  /** The first key's row among all keys, and the number of keys. */
  readonly keys: number;
  readonly n: number;
  /** Dropout's factor of each key. */
  readonly factors: Float64Array;
}

function* eachEmptyRow(
  { shapes, keyLengths, dropout }: HostProgram,
  rows: readonly number[],
): Iterable<EmptyRow> {
  const { H, Hkv, T, S } = shapes;
  const factors = new Float64Array(S).fill(1);
  for (const row of rows) {
    const i = row % T;
    const h = Math.floor(row / T) % H;
    const b = Math.floor(row / (T * H));
    if (dropout) dropoutRow(dropout, b, h, i, S, factors);
    yield { row, keys: (b * Hkv + keyHead(h, shapes)) * S, n: keyLengths ? keyLengths[b]! : S, factors };
  }
}

export function fillUniformRows(
  program: HostProgram,
  v: Float32Array,
  output: Float32Array,
  rows: readonly number[],
): void {
  const { Dv } = program.shapes;
  for (const { row, keys, n, factors } of eachEmptyRow(program, rows)) {
    for (let c = 0; c < Dv; c++) {
      let sum = 0;
      for (let j = 0; j < n; j++) if (factors[j] !== 0) sum += factors[j]! * v[(keys + j) * Dv + c]!;
      output[row * Dv + c] = n ? sum / n : 0;
    }
  }
}

export function fillUniformWeights(
  program: HostProgram,
  weights: Float32Array,
  rows: readonly number[],
): void {
  const { S } = program.shapes;
  for (const { row, n } of eachEmptyRow(program, rows)) weights.fill(1 / n, row * S, row * S + n);
}

/** Such a row passes its gradient to v alone. */
export function addUniformGradients(
  program: HostProgram,
  dout: Float32Array,
  rows: readonly number[],
  dv: Float32Array,
): void {
  const { Dv } = program.shapes;
  for (const { row, keys, n, factors } of eachEmptyRow(program, rows)) {
    for (let j = 0; j < n; j++) {
      if (factors[j] === 0) continue;
      for (let c = 0; c < Dv; c++) dv[(keys + j) * Dv + c]! += (factors[j]! / n) * dout[row * Dv + c]!;
    }
  }
}
