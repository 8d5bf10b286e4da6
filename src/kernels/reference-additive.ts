/**
 * The oracle of additive attention: plain loops in float64, forward and backward, for any compiled program of one head
 * with scale 1. Hidden pairs are skipped, never multiplied by zero, so what stands there cannot matter.
 *
 * Shapes: query [B, T, A], key [B, S, A], v [A], value [B, S, Dv] → output [B, T, Dv], lse [B, T], weights [B, T, S].
 */

import { OptionError } from "../core/errors.ts";
import { emptyRow } from "../core/faults.ts";
import { type HostArray, size } from "../core/notation.ts";
import type { AttentionProgram } from "../core/program.ts";
import { dropoutRow, indexOf, isAllowed, sinkOf, transformScore } from "../core/program-rows.ts";

type Program = AttentionProgram<HostArray>;

export interface AdditiveInputs {
  readonly query: ArrayLike<number>;
  readonly key: ArrayLike<number>;
  readonly v: ArrayLike<number>;
  readonly value: ArrayLike<number>;
}

/** One query: its scores before soft-cap and bias, its weights, and the factors of dropout. */
interface Row {
  readonly products: Float64Array;
  readonly weights: Float64Array;
  readonly factors: Float64Array;
  readonly lse: number;
  /** Whether the query sees a key. */
  readonly seen: boolean;
}

function eachRow({ shapes }: Program, visit: (b: number, i: number, row: number) => void): void {
  for (let b = 0; b < shapes.B; b++) for (let i = 0; i < shapes.T; i++) visit(b, i, b * shapes.T + i);
}

/** Σ_a v_a tanh(query[b,i,a] + key[b,j,a]) */
function product({ shapes }: Program, { query, key, v }: AdditiveInputs, b: number, i: number, j: number) {
  let sum = 0;
  const [q, k] = [(b * shapes.T + i) * v.length, (b * shapes.S + j) * v.length];
  for (let a = 0; a < v.length; a++) sum += v[a]! * Math.tanh(query[q + a]! + key[k + a]!);
  return sum;
}

function computeRow(program: Program, inputs: AdditiveInputs, b: number, i: number): Row {
  const { op, onEmptyRow, queryLengths, keyLengths, dropout, shapes } = program;
  const { S } = shapes;
  const products = new Float64Array(S);
  const scores = new Float64Array(S).fill(-Infinity);
  for (let j = 0; j < S; j++) {
    if (!isAllowed(program, b, 0, i, j)) continue;
    products[j] = product(program, inputs, b, i, j);
    scores[j] = transformScore(program, products[j]!, b, 0, i, j);
  }
  const sink = sinkOf(program, 0);
  const seen = scores.some((score) => score !== -Infinity);
  const most = scores.reduce((m, score) => Math.max(m, score), sink);
  const exponentials = scores.map((score) => {
    if (score === -Infinity) return 0;
    // Scores of +∞ take all the mass, in equal shares.
    return score === most ? 1 : Math.exp(score - most);
  });
  const total = exponentials.reduce((sum, e) => sum + e, most === -Infinity ? 0 : Math.exp(sink - most));
  const weights = exponentials.map((e, j) => (scores[j] === -Infinity ? 0 : e / total));
  if (!seen && !(queryLengths && i >= queryLengths[b]!)) {
    if (onEmptyRow === "error") throw new OptionError("EMPTY_ROW", emptyRow({ op, b, h: 0, i }));
    const n = keyLengths ? keyLengths[b]! : S;
    if (onEmptyRow === "uniform") weights.fill(1 / n, 0, n);
  }
  const factors = new Float64Array(S).fill(1);
  if (dropout) dropoutRow(dropout, b, 0, i, S, factors);
  return { products, weights, factors, seen, lse: most === -Infinity ? -Infinity : most + Math.log(total) };
}

/**
 * Additive attention of one program.
 *
 * @throws OptionError EMPTY_ROW where the program asks for it
 */
export function referenceAdditiveAttention(program: Program, inputs: AdditiveInputs) {
  const { B, T, S, Dv } = program.shapes;
  const output = new Float64Array(B * T * Dv);
  const lse = new Float64Array(B * T);
  const weights = new Float64Array(B * T * S);
  eachRow(program, (b, i, row) => {
    const own = computeRow(program, inputs, b, i);
    lse[row] = own.lse;
    weights.set(own.weights, row * S);
    for (let j = 0; j < S; j++) {
      const weight = own.weights[j]! * own.factors[j]!;
      if (weight === 0) continue;
      for (let c = 0; c < Dv; c++) output[row * Dv + c]! += weight * inputs.value[(b * S + j) * Dv + c]!;
    }
  });
  return { output, lse, weights };
}

export interface ReferenceCotangents {
  readonly dout: ArrayLike<number>;
  readonly dlse?: ArrayLike<number> | undefined;
  readonly dweights?: ArrayLike<number> | undefined;
}

/**
 * The gradients of Σ dout·output + Σ dlse·lse + Σ dweights·weights.
 *
 * With p the weights, f the dropout factors, d_j = f_j (dout·value_j) + dweights_j and r = Σ_j p_j d_j, the score's
 * gradient is p_j (d_j − r + dlse), and the sink's is −p_sink (r − dlse). Through tanh: dv_a = Σ dscore t_a, and both
 * dquery_a and dkey_a get dscore v_a (1 − t_a²). A row without a visible key passes gradients to value alone.
 */
export function referenceAdditiveGradients(
  program: Program,
  inputs: AdditiveInputs,
  { dout, dlse, dweights }: ReferenceCotangents,
) {
  const { query, key, v, value } = inputs;
  const { T, S, Dv } = program.shapes;
  const A = v.length;
  const d = {
    dquery: new Float64Array(query.length),
    dkey: new Float64Array(key.length),
    dv: new Float64Array(A),
    dvalue: new Float64Array(value.length),
    ...(program.bias && { dbias: new Float64Array(size(program.bias.array.shape)) }),
    ...(program.sink !== undefined && { dsink: new Float64Array(1) }),
  };
  eachRow(program, (b, i, row) => {
    const { products, weights, factors, lse, seen } = computeRow(program, inputs, b, i);
    const dlseRow = dlse ? dlse[row]! : 0;
    const dw = new Float64Array(S);
    let r = 0;
    for (let j = 0; j < S; j++) {
      if (weights[j] === 0) continue;
      for (let c = 0; c < Dv; c++) {
        const at = (b * S + j) * Dv + c;
        dw[j]! += factors[j]! * dout[row * Dv + c]! * value[at]!;
        d.dvalue[at]! += weights[j]! * factors[j]! * dout[row * Dv + c]!;
      }
      dw[j]! += dweights ? dweights[row * S + j]! : 0;
      r += weights[j]! * dw[j]!;
    }
    if (d.dsink && lse !== -Infinity) {
      d.dsink[0]! -= Math.exp(sinkOf(program, 0) - lse) * ((seen ? r : 0) - dlseRow);
    }
    for (let j = 0; j < S; j++) {
      if (weights[j] === 0 || !seen) continue;
      const dscore = weights[j]! * (dw[j]! - r + dlseRow);
      if (program.bias && d.dbias) d.dbias[indexOf(program.bias, b, 0, i, j)]! += dscore;
      const { softCap } = program;
      const dproduct = dscore * (softCap ? 1 - Math.tanh(products[j]! / softCap) ** 2 : 1);
      for (let a = 0; a < A; a++) {
        const [q, k] = [(b * T + i) * A + a, (b * S + j) * A + a];
        const t = Math.tanh(query[q]! + key[k]!);
        d.dv[a]! += dproduct * t;
        d.dquery[q]! += dproduct * v[a]! * (1 - t * t);
        d.dkey[k]! += dproduct * v[a]! * (1 - t * t);
      }
    }
  });
  return d;
}
