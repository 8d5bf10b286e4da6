/** The oracle of `probe`: each statistic from all the weights [B, H, T, S], in plain loops and float64. */
import type { HostArray } from "../core/notation.ts";
import type { AttentionProgram } from "../core/program.ts";
import { offsetOf, sinkOf } from "../core/program-rows.ts";
import type { ProbeRequest, ProbeResult, Probes } from "./probe-types.ts";

type Program = AttentionProgram<HostArray>;

/** One row of weights and where it stands. */
interface Row {
  readonly b: number;
  readonly i: number;
  readonly weights: Float64Array;
}

function eachRow({ shapes }: Program, weights: ArrayLike<number>, visit: (row: Row, at: number) => void) {
  const { B, H, T, S } = shapes;
  for (let at = 0; at < B * H * T; at++) {
    const own = new Float64Array(S);
    for (let j = 0; j < S; j++) own[j] = weights[at * S + j]!;
    visit({ b: Math.floor(at / (H * T)), i: at % T, weights: own }, at);
  }
}

/** One number a row. */
function perRow(program: Program, weights: ArrayLike<number>, statistic: (row: Row) => number): Float64Array {
  const { B, H, T } = program.shapes;
  const out = new Float64Array(B * H * T);
  eachRow(program, weights, (row, at) => {
    out[at] = statistic(row);
  });
  return out;
}

/** The keys whose weights are above 0, the largest first, of equal ones the lowest key. */
function ranked({ weights }: Row): number[] {
  const keys = [...weights.keys()].filter((j) => weights[j]! > 0);
  return keys.sort((a, b) => weights[b]! - weights[a]! || a - b);
}

function topKeys(program: Program, weights: ArrayLike<number>, k: number): Probes<Float64Array>["topK"] {
  const { B, H, T } = program.shapes;
  const indices = new Int32Array(B * H * T * k).fill(-1);
  const largest = new Float64Array(B * H * T * k);
  eachRow(program, weights, (row, at) => {
    if (row.weights.some(Number.isNaN)) largest.fill(Number.NaN, at * k, (at + 1) * k);
    else {
      for (const [n, j] of ranked(row).slice(0, k).entries()) {
        indices[at * k + n] = j;
        largest[at * k + n] = row.weights[j]!;
      }
    }
  });
  return { indices, weights: largest };
}

function wholeRows(
  { shapes: { B, H, T, S } }: Program,
  weights: ArrayLike<number>,
  index: readonly number[],
) {
  const rows = new Float64Array(B * H * index.length * S);
  for (let head = 0; head < B * H; head++) {
    for (const [r, i] of index.entries()) {
      for (let j = 0; j < S; j++) rows[(head * index.length + r) * S + j] = weights[(head * T + i) * S + j]!;
    }
  }
  return { index: [...index], weights: rows };
}

function columnMass({ shapes: { B, H, T, S } }: Program, weights: ArrayLike<number>) {
  const sums = new Float64Array(B * H * S);
  for (let e = 0; e < B * H * T * S; e++) sums[Math.floor(e / (T * S)) * S + (e % S)]! += weights[e]!;
  return sums;
}

function tileMeans(
  { shapes: { B, H, T, S } }: Program,
  weights: ArrayLike<number>,
  [mostRows, mostColumns]: readonly [number, number],
): Probes<Float64Array>["tiles"] {
  const [rows, columns] = [Math.min(mostRows, T), Math.min(mostColumns, S)];
  const means = new Float64Array(B * H * rows * columns);
  const start = (part: number, parts: number, n: number) => Math.floor((part * n) / parts);
  for (let tile = 0; tile < means.length; tile++) {
    const [head, r, c] = [
      Math.floor(tile / (rows * columns)),
      Math.floor(tile / columns) % rows,
      tile % columns,
    ];
    const [top, bottom] = [start(r, rows, T), start(r + 1, rows, T)];
    const [left, right] = [start(c, columns, S), start(c + 1, columns, S)];
    for (let i = top; i < bottom; i++) {
      for (let j = left; j < right; j++) means[tile]! += weights[(head * T + i) * S + j]!;
    }
    means[tile]! /= (bottom - top) * (right - left);
  }
  return { rows, columns, means };
}

function blockMaxima(
  { shapes: { B, H, T, S } }: Program,
  weights: ArrayLike<number>,
  side: number,
): Probes<Float64Array>["blockMax"] {
  const [rows, columns] = [Math.ceil(T / side), Math.ceil(S / side)];
  const largest = new Float64Array(B * H * rows * columns);
  for (let e = 0; e < B * H * T * S; e++) {
    const [head, i, j] = [Math.floor(e / (T * S)), Math.floor(e / S) % T, e % S];
    const block = (head * rows + Math.floor(i / side)) * columns + Math.floor(j / side);
    largest[block] = Math.max(largest[block]!, weights[e]!);
  }
  return { rows, columns, weights: largest };
}

/** What the sink has of each row [B, H, T]: what the weights leave of 1, where there is a sink. */
function sinkMass(program: Program, weights: ArrayLike<number>): Float64Array {
  const { H, T } = program.shapes;
  let at = 0;
  return perRow(program, weights, (row) => {
    const h = Math.floor(at++ / T) % H;
    if (sinkOf(program, h) === -Infinity) return 0;
    return row.weights.reduce((left, w) => left - w, 1);
  });
}

/**
 * The statistics that `probe` gives, of weights [B, H, T, S] that are there already.
 *
 * @example
 * const shapes = { B: 1, H: 1, Hkv: 1, T: 1, S: 2, D: 1, Dv: 1 };
 * referenceProbe(compileProgram("probe", shapes), [0.25, 0.75], { max: true }).max.key[0]; // 1
 */
export function referenceProbe<const R extends ProbeRequest>(
  program: Program,
  weights: ArrayLike<number>,
  request: R,
): ProbeResult<Float64Array, R> {
  const { rows, tiles, topK, max, blockMax } = request;
  const information = (w: number) => (w === 0 ? 0 : -w * Math.log(w));
  const sum = (row: Row, of: (w: number, j: number) => number) =>
    row.weights.reduce((total, w, j) => total + of(w, j), 0);
  const all: Partial<Probes<Float64Array>> = {};
  if (rows) all.rows = wholeRows(program, weights, rows);
  if (tiles) all.tiles = tileMeans(program, weights, tiles);
  if (blockMax) all.blockMax = blockMaxima(program, weights, blockMax);
  if (topK) all.topK = topKeys(program, weights, topK);
  if (request.entropy) all.entropy = perRow(program, weights, (row) => sum(row, information));
  if (request.columnMass) all.columnMass = columnMass(program, weights);
  if (request.sinkMass) all.sinkMass = sinkMass(program, weights);
  if (max) {
    const { indices, weights: largest } = topKeys(program, weights, 1);
    all.max = { key: indices, weight: largest };
  }
  if (request.distance) {
    const away = ({ b, i }: Row, j: number) => Math.abs(i + offsetOf(program, b) - j);
    all.distance = perRow(program, weights, (row) => sum(row, (w, j) => w * away(row, j)));
  }
  return all as ProbeResult<Float64Array, R>;
}
