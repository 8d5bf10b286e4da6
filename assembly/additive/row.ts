// One query's row of S scores on its way to weights: soft-cap, bias and allow by selection, softmax, dropout. Rows may
// be written up to sixteen floats past their last key.
import { load as loadLanes } from "../lanes";
import { logf, max4, sum4, vexp, vtanh } from "../math";
import { numbers, philox } from "../philox";
import { at } from "../simd";
import { Additive, allowRow, biasRow } from "./problem";

// @ts-ignore: decorator
@inline function isHidden(x: v128): v128 {
  return f32x4.eq(x, f32x4.splat(-Infinity));
}

// All ones where one of the next `lanes` bytes is 0.
// @ts-ignore: decorator
@inline function zeroBytes(bytes: usize, lanes: i32): v128 {
  let four = i32x4.splat(0);
  if (lanes == 4) four = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(bytes)));
  else for (let h = 0; h < lanes; h++) four = v128.or(four, i32x4.mul(i32x4.splat(load<u8>(bytes + <usize>h)), laneOne(h)));
  return i32x4.eq(four, i32x4.splat(0));
}

// 1 in lane h, 0 in the others.
// @ts-ignore: decorator
@inline function laneOne(h: i32): v128 {
  return v128.and(i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(h)), i32x4.splat(1));
}

/**
 * The scores of query i as the softmax sees them, −∞ where hidden and in the four floats after the last key; soft-cap's
 * derivative to p.slope where `slope` says so. True where a key is visible.
 */
export function transformRow(p: Additive, b: i32, i: i32, first: i32, last: i32, slope: bool): bool {
  const hidden = f32x4.splat(-Infinity), one = f32x4.splat(1), cap = f32x4.splat(p.softCap);
  const bias = p.bias ? biasRow(p, p.bias, b, i) : 0;
  const allow: usize = p.allow && p.allowS ? allowRow(p, b, i) : 0;
  const inverse = f32x4.splat(1 / p.softCap), sameBias = bias && !p.biasS ? v128.load32_splat(bias) : hidden;
  if (p.softCap > 0 || bias || allow) {
    for (let j = first; j < last; j += 4) {
      const cell = at(p.row, j), lanes = min(4, last - j);
      let x = v128.load(cell);
      if (p.softCap > 0) {
        const t = vtanh(f32x4.mul(x, inverse));
        x = f32x4.mul(t, cap);
        if (slope) v128.store(at(p.slope, j), f32x4.sub(one, f32x4.mul(t, t)));
      }
      if (bias) {
        const y = p.biasS ? loadLanes(at(bias, j), lanes) : sameBias;
        x = v128.bitselect(hidden, f32x4.add(x, y), isHidden(y));
      }
      if (allow) x = v128.bitselect(hidden, x, zeroBytes(allow + <usize>j, lanes));
      v128.store(cell, x);
    }
  }
  v128.store(at(p.row, last), hidden);
  let seen = i32x4.splat(0);
  for (let j = first; j < last; j += 4) seen = v128.or(seen, v128.not(isHidden(v128.load(at(p.row, j)))));
  return v128.any_true(seen);
}

/** p.row ← the weights of keys [first, last), one of which is visible; returns their log-sum-exp with the sink. */
export function softmaxRow(p: Additive, first: i32, last: i32): f32 {
  let most4 = f32x4.splat(-Infinity);
  // pmax keeps its left side where the right one is NaN: a NaN is no maximum, it shows up in the sum.
  for (let j = first; j < last; j += 4) most4 = f32x4.pmax(most4, v128.load(at(p.row, j)));
  let most = max4(most4), sum4s = f32x4.splat(0);
  const m = f32x4.splat(most == -Infinity ? 0 : most), zero = f32x4.splat(0);
  for (let j = first; j < last; j += 4) {
    const cell = at(p.row, j), x = v128.load(cell), below = v128.andnot(f32x4.sub(x, m), f32x4.eq(x, m));
    // Scores of +∞ take all the mass, in equal shares: 0 below a maximum of +∞.
    const e = v128.andnot(vexp(below), isHidden(x));
    v128.store(cell, e);
    sum4s = f32x4.add(sum4s, e);
  }
  let sum = sum4(sum4s), share: f32 = 1;
  if (p.sink > most) {
    share = exp1(most - p.sink);
    sum = sum * share + 1;
    most = p.sink;
  } else sum += exp1(p.sink - most);
  const factor = f32x4.splat(share / sum);
  for (let j = first; j < last; j += 4) {
    const cell = at(p.row, j), e = v128.load(cell);
    v128.store(cell, v128.and(f32x4.mul(e, factor), f32x4.ne(e, zero)));
  }
  return most + logf(sum);
}

/** p.row ← e^(score − lse), 0 where hidden. */
export function weightsFromLse(p: Additive, lse: f32, first: i32, last: i32): void {
  const l = f32x4.splat(lse);
  if (lse == Infinity) {
    shareOut(p, l, first, last);
    return;
  }
  for (let j = first; j < last; j += 4) {
    const cell = at(p.row, j), x = v128.load(cell);
    v128.store(cell, v128.andnot(vexp(f32x4.sub(x, l)), isHidden(x)));
  }
}

// Equal weights for the scores of +∞.
function shareOut(p: Additive, infinity: v128, first: i32, last: i32): void {
  let count = i32x4.splat(0);
  for (let j = first; j < last; j += 4) count = i32x4.sub(count, f32x4.eq(v128.load(at(p.row, j)), infinity));
  const share = f32x4.splat(1 / sum4(f32x4.convert_i32x4_s(count)));
  for (let j = first; j < last; j += 4) {
    const cell = at(p.row, j);
    v128.store(cell, v128.and(share, f32x4.eq(v128.load(cell), infinity)));
  }
}

/** p.row ← 1/S for S keys, what `onEmptyRow: "uniform"` gives a query that sees none. */
export function uniformRow(p: Additive, S: i32): void {
  const share: f32 = 1 / <f32>S;
  for (let j = 0; j < S; j++) f32.store(at(p.row, j), share);
}

// @ts-ignore: decorator
@inline export function exp1(x: f32): f32 {
  return f32x4.extract_lane(vexp(f32x4.splat(x)), 0);
}

/**
 * p.factors[j] = 0 or 1/(1 − rate) for keys [first, last): philox([⌊j/4⌋, i, 0, b], seed) as src/core/program-rows.ts
 * has it, four blocks of the counter side by side.
 */
export function dropoutRow(p: Additive, b: i32, i: i32, first: i32, last: i32): void {
  for (let j = first & ~15; j < last; j += 16) {
    const block = i32x4.add(i32x4.splat(j >> 2), i32x4(0, 1, 2, 3));
    philox(block, i32x4.splat(i), i32x4.splat(0), i32x4.splat(b), p.seedLow, p.seedHigh);
    const out = at(p.factors, j);
    storeFactors(p, out, numbers(0));
    storeFactors(p, out + 16, numbers(1));
    storeFactors(p, out + 32, numbers(2));
    storeFactors(p, out + 48, numbers(3));
  }
}

// @ts-ignore: decorator
@inline function storeFactors(p: Additive, out: usize, bits: v128): void {
  v128.store(out, v128.and(f32x4.splat(p.keepScale), i32x4.ge_u(bits, i32x4.splat(p.threshold))));
}

/** x[j] ← x[j] · y[j] for keys [first, last); what is 0 stays 0, whatever y holds for a hidden key. */
export function multiplyRow(x: usize, y: usize, first: i32, last: i32): void {
  for (let j = first; j < last; j += 4) {
    const z = v128.load(at(x, j));
    v128.store(at(x, j), v128.and(f32x4.mul(z, v128.load(at(y, j))), f32x4.ne(z, f32x4.splat(0))));
  }
}
