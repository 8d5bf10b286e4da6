/**
 * The oracle: attention in plain loops and float64, forward and backward, for any compiled program. It is slow, it
 * shares no arithmetic with the fast paths, and it stays: every other path is compared with it.
 *
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], weights [B, H, T, S],
 * lse [B, H, T]. Hidden elements are skipped, never multiplied by zero, so what stands there cannot matter.
 */

import { OptionError } from "../core/errors.ts";
import { hostModification, tensorZeros } from "../core/expression/modification.ts";
import { emptyRow } from "../core/faults.ts";
import { type HostArray, keyHead, size } from "../core/notation.ts";
import type { AttentionProgram } from "../core/program.ts";
import {
  dropoutRow,
  indexOf,
  isAllowed,
  sinkOf,
  transformScore,
  unmodifiedScore,
} from "../core/program-rows.ts";

export interface AttentionInputs {
  readonly q: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly v: ArrayLike<number>;
}

export interface AttentionResult {
  readonly output: Float64Array;
  /** Before dropout, without the sink's share. */
  readonly weights: Float64Array;
  /** ln Σ exp(score) over visible keys and sink; −∞ where there are none. */
  readonly lse: Float64Array;
}

export interface AttentionGradients {
  readonly dq: Float64Array;
  readonly dk: Float64Array;
  readonly dv: Float64Array;
  /** In the shape of `bias`: summed over the axes on which it is repeated. */
  readonly dbias: Float64Array | undefined;
  /** Per head [H], or one number where the sink is one. */
  readonly dsink: Float64Array | undefined;
  /** Of the floating-point tensors that `scoreMod` reads, in their shapes, by name. */
  readonly dtensors?: Readonly<Record<string, Float64Array>> | undefined;
}

type Program = AttentionProgram<HostArray>;

/** Element offsets of the rows that (b, h, i) and (b, h, j) read. */
function rowOffsets({ shapes }: Program, b: number, h: number) {
  const { H, Hkv, T, S, D, Dv } = shapes;
  const g = b * Hkv + keyHead(h, shapes);
  const row = (i: number) => (b * H + h) * T + i;
  return {
    q: (i: number) => row(i) * D,
    k: (j: number) => (g * S + j) * D,
    v: (j: number) => (g * S + j) * Dv,
    out: (i: number) => row(i) * Dv,
    weights: (i: number) => row(i) * S,
    row,
  };
}

function eachRow({ shapes }: Program, visit: (b: number, h: number, i: number) => void): void {
  for (let b = 0; b < shapes.B; b++)
    for (let h = 0; h < shapes.H; h++) for (let i = 0; i < shapes.T; i++) visit(b, h, i);
}

function dot(
  a: ArrayLike<number>,
  aOffset: number,
  b: ArrayLike<number>,
  bOffset: number,
  n: number,
): number {
  let sum = 0;
  for (let d = 0; d < n; d++) sum += a[aOffset + d]! * b[bOffset + d]!;
  return sum;
}

/** Adds factor · x to y, in place. */
function accumulate(
  y: Float64Array,
  yOffset: number,
  factor: number,
  x: ArrayLike<number>,
  xOffset: number,
  n: number,
): void {
  for (let d = 0; d < n; d++) y[yOffset + d]! += factor * x[xOffset + d]!;
}

/** The weights of an empty row: none, or equal ones for the keys that are not padding. */
function fillEmptyRow(
  program: Program,
  b: number,
  h: number,
  i: number,
  weights: Float64Array,
  offset: number,
) {
  const { op, onEmptyRow, queryLengths, keyLengths, shapes } = program;
  const isPadding = queryLengths !== undefined && i >= queryLengths[b]!;
  if (isPadding || onEmptyRow === "zero") return;
  if (onEmptyRow === "error") throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h, i }));
  const n = keyLengths ? keyLengths[b]! : shapes.S;
  weights.fill(1 / n, offset, offset + n);
}

/** One row's weights and log-sum-exp; −∞ scores count as hidden. Returns whether any key is visible. */
function fillRow(
  program: Program,
  { q, k }: AttentionInputs,
  b: number,
  h: number,
  i: number,
  out: Omit<AttentionResult, "output">,
): boolean {
  const { S, D } = program.shapes;
  const at = rowOffsets(program, b, h);
  const scores = new Float64Array(S).fill(-Infinity);
  for (let j = 0; j < S; j++) {
    if (!isAllowed(program, b, h, i, j)) continue;
    scores[j] = transformScore(program, dot(q, at.q(i), k, at.k(j), D), b, h, i, j);
  }
  const sink = sinkOf(program, h);
  const visible = scores.some((score) => score !== -Infinity);
  const m = scores.reduce((most, score) => Math.max(most, score), sink);
  const offset = at.weights(i);
  let total = m === -Infinity ? 0 : Math.exp(sink - m);
  for (let j = 0; j < S; j++) {
    if (scores[j] === -Infinity) continue;
    // Scores of +∞ take all the mass, in equal shares.
    out.weights[offset + j] = scores[j] === m ? 1 : Math.exp(scores[j]! - m);
    total += out.weights[offset + j]!;
  }
  for (let j = 0; visible && j < S; j++) if (scores[j] !== -Infinity) out.weights[offset + j]! /= total;
  out.lse[at.row(i)] = m === -Infinity ? -Infinity : m + Math.log(total);
  if (!visible) fillEmptyRow(program, b, h, i, out.weights, offset);
  return visible;
}

/** Weights, log-sum-exp and, per row, whether it sees a key. */
function computeRows(program: Program, inputs: AttentionInputs) {
  const { B, H, T, S } = program.shapes;
  const rows = {
    weights: new Float64Array(B * H * T * S),
    lse: new Float64Array(B * H * T),
    visible: new Array<boolean>(B * H * T),
  };
  eachRow(program, (b, h, i) => {
    rows.visible[rowOffsets(program, b, h).row(i)] = fillRow(program, inputs, b, h, i, rows);
  });
  return rows;
}

/**
 * Attention of one program in float64.
 *
 * @throws OptionError EMPTY_ROW where the program asks for it
 */
export function referenceAttention(program: Program, inputs: AttentionInputs): AttentionResult {
  const { B, H, T, S, Dv } = program.shapes;
  const { weights, lse } = computeRows(program, inputs);
  const output = new Float64Array(B * H * T * Dv);
  const factors = new Float64Array(S).fill(1);
  eachRow(program, (b, h, i) => {
    if (program.dropout) dropoutRow(program.dropout, b, h, i, S, factors);
    const at = rowOffsets(program, b, h);
    for (let j = 0; j < S; j++) {
      const weight = weights[at.weights(i) + j]! * factors[j]!;
      if (weight !== 0) accumulate(output, at.out(i), weight, inputs.v, at.v(j), Dv);
    }
  });
  return { output, weights, lse };
}

/** 1 for every row [B, H, T] that sees no key, padding among them. */
export function referenceEmptyRows(program: Program, inputs: Pick<AttentionInputs, "q" | "k">): Uint8Array {
  const { visible } = computeRows({ ...program, onEmptyRow: "zero" }, { ...inputs, v: [] });
  return Uint8Array.from(visible, (seen) => (seen ? 0 : 1));
}

/**
 * The gradients of Σ dout·output + Σ dlse·lse.
 *
 * With p the weights, f the dropout factors and r = Σ_j p_j (dout·v_j) f_j, the score's gradient is
 * p_j ((dout·v_j) f_j − r + dlse), and the sink's is −p_sink (r − dlse). An empty row passes the gradient of its output
 * to v alone: its weights, if it has any, come from no score, so its r is 0.
 */
export function referenceAttentionGradients(
  program: Program,
  inputs: AttentionInputs,
  dout: ArrayLike<number>,
  dlse?: ArrayLike<number>,
): AttentionGradients {
  const { q, k, v } = inputs;
  const { S, D, Dv } = program.shapes;
  const { weights, lse, visible } = computeRows(program, inputs);
  const gradients = {
    dq: new Float64Array(q.length),
    dk: new Float64Array(k.length),
    dv: new Float64Array(v.length),
    dbias: program.bias && new Float64Array(size(program.bias.array.shape)),
    dsink:
      program.sink === undefined
        ? undefined
        : new Float64Array(typeof program.sink === "number" ? 1 : program.shapes.H),
    dtensors: program.modification && tensorZeros(program.modification),
  };
  const factors = new Float64Array(S).fill(1);
  const dweights = new Float64Array(S);
  eachRow(program, (b, h, i) => {
    const at = rowOffsets(program, b, h);
    if (program.dropout) dropoutRow(program.dropout, b, h, i, S, factors);
    const dlseRow = dlse ? dlse[at.row(i)]! : 0;
    let r = 0;
    for (let j = 0; j < S; j++) {
      const p = weights[at.weights(i) + j]!;
      if (p === 0) continue;
      dweights[j] = factors[j]! * dot(dout, at.out(i), v, at.v(j), Dv);
      if (visible[at.row(i)]) r += p * dweights[j]!;
      accumulate(gradients.dv, at.v(j), p * factors[j]!, dout, at.out(i), Dv);
    }
    if (gradients.dsink && lse[at.row(i)] !== -Infinity) {
      const share = Math.exp(sinkOf(program, h) - lse[at.row(i)]!);
      // The output of a row that sees no key does not depend on the sink, whatever it is filled with.
      const own = visible[at.row(i)] ? r : 0;
      gradients.dsink[gradients.dsink.length === 1 ? 0 : h]! -= share * (own - dlseRow);
    }
    for (let j = 0; j < S; j++) {
      const p = weights[at.weights(i) + j]!;
      if (p === 0 || !visible[at.row(i)]) continue;
      const product = dot(q, at.q(i), k, at.k(j), D);
      let dscore = p * (dweights[j]! - r + dlseRow);
      if (program.modification) {
        const element = { score: unmodifiedScore(program, product, b, h, i, j), b, h, q: i, k: j };
        dscore *= hostModification(program.modification).slope(element, dscore, gradients.dtensors!);
      }
      if (program.bias && gradients.dbias) gradients.dbias[indexOf(program.bias, b, h, i, j)]! += dscore;
      const dproduct = dscore * program.scale * softCapSlope(program, product);
      accumulate(gradients.dq, at.q(i), dproduct, k, at.k(j), D);
      accumulate(gradients.dk, at.k(j), dproduct, q, at.q(i), D);
    }
  });
  return gradients;
}

/** The derivative of cap·tanh(s/cap) at s = scale · product. */
function softCapSlope({ scale, softCap }: Program, product: number): number {
  return softCap === undefined ? 1 : 1 - Math.tanh((scale * product) / softCap) ** 2;
}
