/** `onEmptyRow: "uniform"`: rows that see no key weigh the keys within `keyLengths` alike. Rare, so plain loops. */
import { keyHead } from "../../../core/notation.ts";
import type { HostProgram } from "../../../core/program.ts";
import { dropoutRow, offsetOf } from "../../../core/program-rows.ts";
import type { CallLayout } from "../../layout.ts";
import { blocksOf, type ProbeArrays, type ProbePlan } from "./probe.ts";

/** A query that sees no key. */
export interface EmptyRow {
  readonly b: number;
  readonly h: number;
  readonly i: number;
}

interface UniformRow extends EmptyRow {
  /** Its key head, the number of keys, and dropout's factor of each. */
  readonly g: number;
  readonly n: number;
  readonly factors: Float64Array;
}

function* eachRow(program: HostProgram, rows: readonly EmptyRow[]): Iterable<UniformRow> {
  const { shapes, keyLengths, dropout } = program;
  const factors = new Float64Array(shapes.S).fill(1);
  for (const { b, h, i } of rows) {
    if (dropout) dropoutRow(dropout, b, h, i, shapes.S, factors);
    yield { b, h, i, g: keyHead(h, shapes), n: keyLengths ? keyLengths[b]! : shapes.S, factors };
  }
}

export function fillUniformRows(
  program: HostProgram,
  { queries, keys }: CallLayout,
  v: Float32Array,
  output: Float32Array,
  rows: readonly EmptyRow[],
): void {
  const { Dv } = program.shapes;
  for (const { b, h, i, g, n, factors } of eachRow(program, rows)) {
    const out = queries.start(b, h, Dv) + i * queries.step(Dv);
    for (let c = 0; c < Dv; c++) {
      let sum = 0;
      for (let j = 0; j < n; j++) {
        if (factors[j] !== 0) sum += factors[j]! * v[keys.start(b, g, Dv) + j * keys.step(Dv) + c]!;
      }
      output[out + c] = n ? sum / n : 0;
    }
  }
}

export interface UniformGradients {
  readonly dv: Float32Array;
  /** [H], or one number. Holds what the backward pass made of dout · output, where there is a sink. */
  readonly dsink?: Float64Array | undefined;
}

/** Such a row passes its gradient to v alone: what the sink got of its output is taken back. */
export function addUniformGradients(
  program: HostProgram,
  { queries, keys }: CallLayout,
  { output, dout }: { readonly output: Float32Array; readonly dout: Float32Array },
  rows: readonly EmptyRow[],
  { dv, dsink }: UniformGradients,
): void {
  const { Dv } = program.shapes;
  for (const { b, h, i, g, n, factors } of eachRow(program, rows)) {
    const from = queries.start(b, h, Dv) + i * queries.step(Dv);
    for (let j = 0; j < n; j++) {
      if (factors[j] === 0) continue;
      const to = keys.start(b, g, Dv) + j * keys.step(Dv);
      for (let c = 0; c < Dv; c++) dv[to + c]! += (factors[j]! / n) * dout[from + c]!;
    }
    if (!dsink) continue;
    // Its share of the softmax is e^(sink − lse) = 1 there.
    for (let c = 0; c < Dv; c++) dsink[dsink.length === 1 ? 0 : h]! += dout[from + c]! * output[from + c]!;
  }
}

/** Adds such rows to statistics in which they are 0 so far. */
export function addUniformStatistics(
  program: HostProgram,
  plan: ProbePlan,
  rows: readonly EmptyRow[],
  arrays: ProbeArrays,
): void {
  const { H, T, S } = program.shapes;
  for (const { b, h, i } of rows) {
    const n = program.keyLengths?.[b] ?? S;
    if (n === 0) continue;
    const w = Math.fround(1 / n);
    const head = b * H + h;
    const query = head * T + i;
    for (const [r, wanted] of plan.rows.entries()) {
      const row = (head * plan.rows.length + r) * S;
      if (wanted === i) arrays.rows.fill(w, row, row + n);
    }
    for (let rank = 0; rank < Math.min(plan.topCount, n); rank++) {
      arrays.topWeights[query * plan.topCount + rank] = w;
      arrays.topKeys[query * plan.topCount + rank] = rank;
    }
    if (plan.entropy) arrays.entropy[query] = -n * w * Math.log(w);
    const position = i + offsetOf(program, b);
    let away = 0;
    for (let j = 0; j < n && plan.distance; j++) away += Math.abs(position - j);
    if (plan.distance) arrays.distance[query] = w * away;
    for (let j = 0; j < n && plan.columnMass; j++) arrays.columnMass[head * S + j]! += w;
    if (plan.blockSide) {
      const [blockRows, columns] = [blocksOf(T, plan.blockSide), blocksOf(S, plan.blockSide)];
      const first = (head * blockRows + Math.floor(i / plan.blockSide)) * columns;
      for (let c = first; c < first + blocksOf(n, plan.blockSide); c++)
        arrays.blocks[c] = Math.max(arrays.blocks[c]!, w);
    }
    if (plan.tiles) {
      const { rows: tileRows, columns } = plan.tiles;
      const r = tileRows.findLastIndex((start) => start <= i);
      const first = (head * (tileRows.length - 1) + r) * (columns.length - 1);
      for (let c = 0; c < columns.length - 1; c++) {
        arrays.tiles[first + c]! += w * Math.max(0, Math.min(n, columns[c + 1]!) - columns[c]!);
      }
    }
  }
}
