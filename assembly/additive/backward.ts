// Additive attention, backward. Scores and weights are computed again, a query's row at a time:
//
//     p = e^(score − lse)      dvalue_j += p_j f_j dout      dp_j = f_j (dout · value_j) + dweights_j
//     dscore_j = p_j (dp_j − Σ p dp + dlse)                  f: dropout's factors
//
// then tanh and its derivative, from the same exponentials as the scores, R = 1 / (P + 1):
//
//     tanh = 1 − 2R,   1 − tanh² = 4 P R²     dv = Σ ds − 2 Σ ds R     dquery, dkey = 4 v Σ ds P R²
//
// with the constant factors left for the end. Keys outside, up to BQ queries inside, so a key's sums stay in registers.
// The sums always run in this order: the same inputs give the same bits.
//
// Ladder, measured as in scores.ts, ns a pair and unit with the scores' 0.44 and the values' part:
//                                                               T = 1, S = 12, A = 256    T = S = 256, A = 128
//   one division a pair, eight queries inside: this                     3.4                      1.02
// TensorFlow.js ops on the same heap take 8 and 4.1.
// Tried: four queries unrolled with their dscore in registers: the same within 2 %. One division for two queries: 1.05.
import { load as loadLanes, store as storeLanes } from "../lanes";
import { vtanh } from "../math";
import { at, fma } from "../simd";
import {
  Additive, biasRow, BQ, firstKey, keysOf, lastKey, layout, queriesOf, UNIFORM, wideRow, wideUnits,
} from "./problem";
import { dropoutRow, exp1, multiplyRow, transformRow, uniformRow, weightsFromLse } from "./row";
import { exponentials, prepareKeys, scoreRow } from "./scores";
import { addScaled, dot } from "./values";

/** All gradients; dv, dbias and dsink are added to. */
export function additiveBackward(p: Additive): void {
  layout(p);
  const A = p.A, wide = wideUnits(A), T = p.T, S = p.S, Dv = p.Dv;
  for (let b = 0; b < p.B; b++) {
    const nq = queriesOf(p, b), nk = keysOf(p, b), dquery = at(p.dquery, b * T * A), dkey = at(p.dkey, b * S * A);
    memory.fill(at(p.dvalue, b * S * Dv), 0, <usize>(S * Dv) << 2);
    memory.fill(at(dquery, nq * A), 0, <usize>((T - nq) * A) << 2);
    memory.fill(at(dkey, nk * A), 0, <usize>((S - nk) * A) << 2);
    memory.fill(p.keySums, 0, <usize>(nk * wide) << 2);
    memory.fill(p.unitSums, 0, <usize>wide << 2);
    if (nq > 0) prepareKeys(p, at(p.key, b * S * A), nk);
    let total: f64 = 0;
    for (let i = 0; i < nq; i += BQ) total += block(p, b, i, min(BQ, nq - i), nk);
    if (p.dsink && p.dlse) for (let i = nq; i < T; i++) addSink(p, b * T + i, 0);
    for (let j = 0; j < nk; j++) finish(at(p.keySums, j * wide), p.units, A, at(dkey, j * A));
    for (let a = 0; a < A; a++) {
      const dv = at(p.dv, a);
      f32.store(dv, <f32>(<f64>f32.load(dv) + total - 2 * <f64>f32.load(at(p.unitSums, a))));
    }
  }
}

/** Queries [i0, i0 + nq) of example b; returns the sum of their scores' gradients. */
function block(p: Additive, b: i32, i0: i32, nq: i32, S: i32): f64 {
  const A = p.A, wide = wideUnits(A), ld = wideRow(p.S);
  let first = S, last = 0, total: f64 = 0;
  for (let r = 0; r < nq; r++) {
    if (firstKey(p, b, i0 + r) >= lastKey(p, b, i0 + r, S)) continue;
    first = min(first, firstKey(p, b, i0 + r));
    last = max(last, lastKey(p, b, i0 + r, S));
  }
  memory.fill(p.querySums, 0, <usize>(nq * wide) << 2);
  for (let r = 0; r < nq; r++) {
    const ds = at(p.ds, r * ld), query = at(p.query, (b * p.T + i0 + r) * A), queries = at(p.queries, r * wide);
    if (first < last) memory.fill(at(ds, first), 0, <usize>(last - first) << 2);
    const wild = exponentials(query, A, queries);
    scoreGradients(p, b, i0 + r, S, ds, queries, wild);
    for (let j = first; j < last; j++) total += <f64>f32.load(at(ds, j));
    if (wild || p.wildCount) wildPairs(p, b, r, query, wild, first, last);
  }
  for (let j = first; j < last; j++) {
    addKey(at(p.keys, j * wide), at(p.keySums, j * wide), p.queries, p.querySums, p.unitSums, at(p.ds, j), nq, wide, ld);
  }
  for (let r = 0; r < nq; r++) {
    finish(at(p.querySums, r * wide), p.units, A, at(p.dquery, (b * p.T + i0 + r) * A));
  }
  return total;
}

/** ds[j] = the gradient of query i's scores, before soft-cap; dvalue, dbias and dsink are added to. */
function scoreGradients(p: Additive, b: i32, i: i32, S: i32, ds: usize, queries: usize, wild: bool): void {
  const row = b * p.T + i, Dv = p.Dv, value = at(p.value, b * p.S * Dv), dvalue = at(p.dvalue, b * p.S * Dv);
  const dout = at(p.dout, row * Dv), lse = f32.load(at(p.lse, row)), capped = p.softCap > 0;
  let first = firstKey(p, b, i), last = lastKey(p, b, i, S), seen = false;
  if (first < last) {
    scoreRow(p, b, i, queries, wild, first, last);
    seen = transformRow(p, b, i, first, last, capped);
  }
  if (seen) weightsFromLse(p, lse, first, last);
  else {
    if (p.dsink) addSink(p, row, 0);
    if (p.onEmpty != UNIFORM) return;
    first = 0;
    last = S;
    uniformRow(p, S);
  }
  if (p.threshold) dropoutRow(p, b, i, first, last);
  const dweights = p.dweights ? at(p.dweights, row * p.S) : 0;
  let sum: f32 = 0;
  for (let j = first; j < last; j++) {
    const weight = f32.load(at(p.row, j));
    if (weight == 0) {
      f32.store(at(p.dp, j), 0);
      continue;
    }
    const factor: f32 = p.threshold ? f32.load(at(p.factors, j)) : 1;
    let d = factor * dot(dout, at(value, j * Dv), Dv);
    if (dweights) d += f32.load(at(dweights, j));
    f32.store(at(p.dp, j), d);
    sum += weight * d;
    addScaled(at(dvalue, j * Dv), weight * factor, dout, Dv);
  }
  if (!seen) return;
  if (p.dsink) addSink(p, row, sum);
  const less = f32x4.splat(sum - (p.dlse ? f32.load(at(p.dlse, row)) : 0)), zero = f32x4.splat(0);
  for (let j = first; j < last; j += 4) {
    const weight = v128.load(at(p.row, j)), d = f32x4.mul(weight, f32x4.sub(v128.load(at(p.dp, j)), less));
    v128.store(at(p.dp, j), v128.and(d, f32x4.ne(weight, zero)));
  }
  if (p.dbias) addBias(p, biasRow(p, p.dbias, b, i), first, last);
  if (capped) multiplyRow(p.dp, p.slope, first, last);
  memory.copy(at(ds, first), at(p.dp, first), <usize>(last - first) << 2);
}

/** The sink's gradient is −p_sink (Σ p dp − dlse). */
function addSink(p: Additive, row: i32, sum: f32): void {
  const lse = f32.load(at(p.lse, row));
  if (lse == -Infinity) return;
  const dlse: f32 = p.dlse ? f32.load(at(p.dlse, row)) : 0;
  f32.store(p.dsink, f32.load(p.dsink) - exp1(p.sink - lse) * (sum - dlse));
}

function addBias(p: Additive, out: usize, first: i32, last: i32): void {
  if (p.biasS) {
    for (let j = first; j < last; j++) f32.store(at(out, j), f32.load(at(out, j)) + f32.load(at(p.dp, j)));
    return;
  }
  let sum: f32 = 0;
  for (let j = first; j < last; j++) sum += f32.load(at(p.dp, j));
  f32.store(out, f32.load(out) + sum);
}

/** Adds a key's pairs with nq queries to the sums of the key, of the queries and of dv. */
function addKey(
  key: usize, keySums: usize, queries: usize, querySums: usize, unitSums: usize, ds: usize, nq: i32, wide: i32, ld: i32,
): void {
  const one = f32x4.splat(1), row = <usize>wide << 2, next = <usize>ld << 2, end = queries + <usize>nq * row;
  for (let a: usize = 0; a < row; a += 16) {
    const k = v128.load(key + a);
    let sum = v128.load(keySums + a), units = v128.load(unitSums + a);
    for (let q = queries + a, to = querySums + a, from = ds; q < end; q += row, to += row, from += next) {
      const product = f32x4.mul(v128.load(q), k), inverse = f32x4.div(one, f32x4.add(product, one));
      const d = v128.load32_splat(from);
      const g = f32x4.mul(d, f32x4.mul(f32x4.mul(product, inverse), inverse));
      units = fma(d, inverse, units);
      v128.store(to, f32x4.add(v128.load(to), g));
      sum = f32x4.add(sum, g);
    }
    v128.store(keySums + a, sum);
    v128.store(unitSums + a, units);
  }
}

/** The pairs of query r of the block that need a tanh of their own: adds them to the sums and sets their ds to 0. */
function wildPairs(p: Additive, b: i32, r: i32, query: usize, wild: bool, first: i32, last: i32): void {
  const A = p.A, wide = wideUnits(A), key = at(p.key, b * p.S * A), row = at(p.ds, r * wideRow(p.S));
  for (let j = first; j < last; j++) {
    const ds = f32.load(at(row, j));
    if (ds == 0 || !(wild || load<u8>(p.wildKeys + <usize>j))) continue;
    wildPair(query, at(key, j * A), at(p.keySums, j * wide), at(p.querySums, r * wide), p.unitSums, ds, A);
    f32.store(at(row, j), 0);
  }
}

function wildPair(
  query: usize, key: usize, keySums: usize, querySums: usize, unitSums: usize, ds: f32, A: i32,
): void {
  const one = f32x4.splat(1), half = f32x4.splat(0.5 * ds), quarter = f32x4.splat(0.25 * ds);
  for (let a = 0; a < A; a += 4) {
    const lanes = min(4, A - a);
    const t = vtanh(f32x4.add(loadLanes(at(query, a), lanes), loadLanes(at(key, a), lanes)));
    const g = f32x4.mul(quarter, f32x4.sub(one, f32x4.mul(t, t)));
    v128.store(at(keySums, a), f32x4.add(v128.load(at(keySums, a)), g));
    v128.store(at(querySums, a), f32x4.add(v128.load(at(querySums, a)), g));
    v128.store(at(unitSums, a), fma(half, f32x4.sub(one, t), v128.load(at(unitSums, a))));
  }
}

/** out = 4 v sums. */
function finish(sums: usize, units: usize, A: i32, out: usize): void {
  const four = f32x4.splat(4);
  for (let a = 0; a < A; a += 4) {
    const g = f32x4.mul(f32x4.mul(four, v128.load(at(units, a))), v128.load(at(sums, a)));
    storeLanes(at(out, a), g, min(4, A - a));
  }
}
