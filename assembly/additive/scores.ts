// Scores of additive attention, Σ_a v_a tanh(q_a + k_a), without a tanh per pair:
//
//     tanh(q + k) = (P − 1) / (P + 1),    P = e^(2q) · e^(2k)
//
// T + S rows of exponentials, then one product and one division a pair and unit. P is right to some 2⁻²¹ of itself, so
// the tanh is right to 2⁻²² absolutely, saturated or not. A row with |x| above 21.5 somewhere is wild: a product of
// two others cannot overflow, and its own pairs take tanh(q + k) itself, as do NaN and infinities.
//
// Ladder, ns a pair and unit, best CPU time of interleaved runs on a busy machine, Node 20, relaxed build:
//                                                               T = 1, S = 12, A = 256    T = S = 256, A = 128
//   e^2x by vexp of math.ts, four keys at a time                        2.95                     0.45
//   e^2x for the range that is needed, its remainder inexact            1.26                     0.44
//   + ln 2 in two pieces, which the plain build needs: this             1.4                      0.44
// T = 1 counts the whole call, values included. TensorFlow.js ops on the same heap take 6.8 and 5.0.
// Tried: (t + u) / (1 + t u) from t = tanh q and u = tanh k: where two saturated units cancel the digits are gone, and
// q = 8, k = −8.3 give −0.33 for −0.29. One division for two keys, 1 / (d d'): 0.42, but half the range of tame units.
// 2x · log₂e in one product: the tanh is then 2⁻¹⁹ off without fused multiply-add.
import { load as loadLanes } from "../lanes";
import { sum4, vtanh } from "../math";
import { at, fma } from "../simd";
import { Additive, allowRow, wideUnits } from "./problem";

// e^(4 · 21.5) = 2e37, and e^(−4 · 21.5) is above the subnormals.
// @ts-ignore: decorator
@inline const WILD: f32 = 21.5;

// 1.5 · 2²³ + 127: adding it rounds to an integer and leaves that integer, biased as an exponent, in the low bits.
// @ts-ignore: decorator
@inline const ROUND: f32 = 12583039.0;

// e^2x for |2x| ≤ 43, within 2e-7 of itself: half as many operations as vexp, whose range is wider.
// @ts-ignore: decorator
@inline function exp2x(x: v128): v128 {
  const round = f32x4.splat(ROUND), log2e = f32x4.splat(1.44269504088896341), y = f32x4.add(x, x);
  const t = fma(y, log2e, round), n = f32x4.sub(t, round);
  // ln 2 in two pieces: n times the first is exact, so without fused multiply-add the remainder is right too.
  const r = fma(n, f32x4.splat(2.12194440e-4), fma(n, f32x4.splat(-0.693359375), y));
  let p = fma(f32x4.splat(0.008290315046906471), r, f32x4.splat(0.04189793020486832));
  p = fma(p, r, f32x4.splat(0.1666763573884964));
  p = fma(p, r, f32x4.splat(0.4999915063381195));
  p = fma(p, r, f32x4.splat(0.9999997019767761));
  p = fma(p, r, f32x4.splat(1));
  return f32x4.mul(p, i32x4.shl(t, 23));
}

/** out = e^2x for the A units of a row, padded with 1; all 1 and true where the row is wild. */
export function exponentials(x: usize, A: i32, out: usize): bool {
  const wild = f32x4.splat(WILD);
  let tame = i32x4.splat(-1), a = 0;
  for (; a + 4 <= A; a += 4) {
    const y = v128.load(at(x, a));
    tame = v128.and(tame, f32x4.le(f32x4.abs(y), wild));
    v128.store(at(out, a), exp2x(y));
  }
  if (a < A) {
    const y = loadLanes(at(x, a), A - a);
    tame = v128.and(tame, f32x4.le(f32x4.abs(y), wild));
    v128.store(at(out, a), exp2x(y));
  }
  if (i32x4.all_true(tame)) return false;
  for (a = 0; a < A; a += 4) v128.store(at(out, a), f32x4.splat(1));
  return true;
}

/** The exponentials of S keys. */
export function prepareKeys(p: Additive, key: usize, S: i32): void {
  const A = p.A, wide = wideUnits(A);
  p.wildCount = 0;
  for (let j = 0; j < S; j++) {
    const wild = exponentials(at(key, j * A), A, at(p.keys, j * wide));
    store<u8>(p.wildKeys + <usize>j, wild ? 1 : 0);
    if (wild) p.wildCount++;
  }
}

/** The score of one pair by its own tanh. */
function scorePair(query: usize, key: usize, units: usize, A: i32): f32 {
  let sum = f32x4.splat(0), a = 0;
  for (; a + 4 <= A; a += 4) {
    sum = fma(v128.load(at(units, a)), vtanh(f32x4.add(v128.load(at(query, a)), v128.load(at(key, a)))), sum);
  }
  if (a < A) {
    const x = f32x4.add(loadLanes(at(query, a), A - a), loadLanes(at(key, a), A - a));
    sum = fma(v128.load(at(units, a)), vtanh(x), sum);
  }
  return sum4(sum);
}

// @ts-ignore: decorator
@inline function addTanh(query: v128, key: v128, unit: v128, sum: v128): v128 {
  const one = f32x4.splat(1), product = f32x4.mul(query, key);
  return fma(unit, f32x4.div(f32x4.sub(product, one), f32x4.add(product, one)), sum);
}

/** Four scores from exponentials. */
function scoreFour(query: usize, units: usize, k0: usize, k1: usize, k2: usize, k3: usize, wide: i32): v128 {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let a: usize = 0, end = <usize>wide << 2; a < end; a += 16) {
    const q = v128.load(query + a), v = v128.load(units + a);
    s0 = addTanh(q, v128.load(k0 + a), v, s0);
    s1 = addTanh(q, v128.load(k1 + a), v, s1);
    s2 = addTanh(q, v128.load(k2 + a), v, s2);
    s3 = addTanh(q, v128.load(k3 + a), v, s3);
  }
  const a = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 4, 1, 5), v128.shuffle<f32>(s0, s1, 2, 6, 3, 7));
  const b = f32x4.add(v128.shuffle<f32>(s2, s3, 0, 4, 1, 5), v128.shuffle<f32>(s2, s3, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
}

/** p.row[j] = the score of query i, whose exponentials are at `query`, with keys [first, last). */
export function scoreRow(p: Additive, b: i32, i: i32, query: usize, wild: bool, first: i32, last: i32): void {
  const A = p.A, wide = wideUnits(A), raw = at(p.query, (b * p.T + i) * A), key = at(p.key, b * p.S * A);
  const allow: usize = p.allow && p.allowS ? allowRow(p, b, i) : 0;
  if (!wild) {
    for (let j = first; j < last; j += 4) {
      // Four hidden keys need no scores.
      if (allow && j + 4 <= last && load<u32>(allow + <usize>j) == 0) continue;
      // Past the last key, its row once more: the scores land in the padding.
      const most = last - 1, k0 = at(p.keys, j * wide), k1 = at(p.keys, min(j + 1, most) * wide);
      const k2 = at(p.keys, min(j + 2, most) * wide), k3 = at(p.keys, min(j + 3, most) * wide);
      v128.store(at(p.row, j), scoreFour(query, p.units, k0, k1, k2, k3, wide));
    }
    if (p.wildCount == 0) return;
  }
  for (let j = first; j < last; j++) {
    if (!wild && !load<u8>(p.wildKeys + <usize>j)) continue;
    if (allow && !load<u8>(allow + <usize>j)) continue;
    f32.store(at(p.row, j), scorePair(raw, at(key, j * A), p.units, A));
  }
}
