// Fused attention, forward, one head at a time: out = softmax(scores) · v without ever holding the T × S scores.
//
// A block is 48 queries × 96 keys. Its scores are held transposed, lanes are queries and rows are keys, so both
// products read their broadcast operand at consecutive addresses and the softmax has no horizontal step; scores and
// sums come from the 6 × 8 register tile of tile.ts over packed operands. The maximum is kept running as in Milakov &
// Gimelshein 2018, unless Cauchy and Schwarz say beforehand that no score can leave ±32: then e^score is summed as is.
//
// Ladder. T = S = 2048, D = Dv = 64, one thread, AMD EPYC (2 shared cores), relaxed build; 4·T·S·D flops a head, GF/s
// and share of the multiply-add peak that assembly/probes/peak.ts reaches in the same run.
//                                                              Node 20           Node 24         causal / full
//   prototype, scores by query rows (peak 56.8 that day)       39   (69 %)       37   (65 %)
//   prototype, scores transposed                               42.5 (75 %)       44   (77 %)
//   + tile with one moving pointer per operand, keys and
//     values packed, blocks of 96 keys                         60.3 (86 %)       56.3 (80 %)       0.51
//   + no maximum where scores are surely within ±32            60.6 (90 %)       56.4 (84 %)       0.51–0.53
//   + constants of e^y from memory (see exp.ts)                59.7 (91 %)       59.9 (91 %)       0.52
//   the same where scores are larger than ±32                                    54.4 (85 %)       0.51
//   plain build: a product and a sum where FMA is one step     30.8 (46 %)       32.5 (49 %)       0.48–0.51
//   attention() itself, 8 heads, copies included: 143 ms       59.9 (91 %)       58.3 (88 %)       0.52
// The last line is `npm run bench -- attention` on a quiet machine. The others were taken on a busy one, one head: each
// piece of 192 queries was timed ten times and the least times were added up.
// Other widths, Node 20: D = 32 83 %, D = 128 94 %, D = 256 92 %. T = 512 87 %, T = 64 55 %.
// Tried and no faster: blocks of 48 or 192 keys, of 96 queries; e^y on four vectors at a time instead of two.
// One query over 4096 keys, 8 heads, Node 24: 2.9 ms packed, 0.96 ms in place (few.ts).
import { logf, vexp } from "../math";
import { at } from "../simd";
import { expBelow, expWith, writeExpConstants } from "./exp";
import { fewProducts, fewSums, isFew } from "./few";
import { plan, transform } from "./mask";
import { longestRow, maxAbsRows, panels6, panels8, strips, wide } from "./pack";
import { Problem } from "./problem";
import { keptMask } from "./random";
import { BK, BQ } from "./scores";
import { tile } from "../tile";

// Bytes from one key's row to the next: scores lie transposed here.
const LD: usize = <usize>BQ << 2;
// Where scores are surely within ±32, e^score needs no maximum to be subtracted: sums stay below 2⁷⁷ and values below
// 2⁴⁰ cannot take them out of range.
const SAFE_SCORE: f32 = 32;
const SAFE_VALUE: f32 = 1099511627776;

/** Bytes of scratch that one thread needs for attentionForward. */
export function attentionScratchBytes(D: i32, Dv: i32): i32 {
  return (2 * BQ * BK + BQ * wide(Dv) + BQ * D + 4 * BQ + 16) << 2;
}

/** Packs the keys and values of one head; every query head that shares them uses the same packing. */
export function attentionKeys(p: Problem): void {
  if (isFew(p)) return;
  panels6(p.k, p.kRow, p.S, p.D, p.keyPanels);
  p.keyNorm = longestRow(p.k, p.kRow, p.S, p.D);
  p.valueMax = maxAbsRows(p.v, p.vRow, p.S, p.Dv);
  p.wildRows = strips(p.v, p.vRow, p.S, p.Dv, p.valueStrips, p.wild, p.valueMax);
}

/** Queries [i0, i1) of one head, to `out` and `lse`. */
export function attentionForward(p: Problem, i0: i32, i1: i32, scratch: usize): void {
  for (let i = i0; i < i1; i += BQ) block(p, i, min(BQ, i1 - i), scratch);
}

function block(p: Problem, i0: i32, nq: i32, s: usize): void {
  const D = p.D, columns = wide(p.Dv), ldo = <usize>columns << 2;
  const spare = at(s, BQ * BK), o = at(spare, BQ * BK), queries = at(o, BQ * columns);
  const m = at(queries, BQ * D), l = m + LD, factor = l + LD, constants = factor + LD;
  writeExpConstants(constants);
  const start = (max(0, i0 + p.low) / 24) * 24, end = min(p.S, i0 + nq + p.high);
  const few = isFew(p), lanes = few ? 8 : (nq + 15) & ~15;
  let bounded = false;
  if (few) {
    memory.fill(o, 0, <usize>nq * ldo);
  } else {
    panels8(at(p.q, i0 * p.qRow), p.qRow, nq, D, queries, p.scale);
    const reach = abs(p.scale) * longestRow(at(p.q, i0 * p.qRow), p.qRow, nq, D) * p.keyNorm;
    bounded = reach <= SAFE_SCORE && p.valueMax <= SAFE_VALUE && !p.bias && p.softCap == 0;
  }
  for (let i = 0; i < lanes; i += 4) {
    v128.store(at(m, i), f32x4.splat(bounded ? 0 : -Infinity));
    v128.store(at(l, i), f32x4.splat(0));
  }
  let first = true;
  for (let j = start; j < end; j += BK) {
    const nk = min(BK, end - j), todo = plan(p, i0, i0 + nq, j, j + nk);
    if (todo < 0) continue;
    if (few) fewProducts(at(p.q, i0 * p.qRow), p.qRow, at(p.k, j * p.kRow), p.kRow, s, 4, LD, nq, nk, D, p.scale);
    else scores(at(p.keyPanels, j * D), queries, s, nk, nq, D);
    if (todo) transform(p, todo, true, s, LD, nk, (nq + 3) & ~3, i0, nq, j, spare);
    if (bounded && !todo) sumBounded(s, nk, lanes, l, constants);
    else {
      if (!bounded && raise(s, nk, lanes, m, factor) && !first) rescale(o, ldo, factor, l, nq, lanes);
      sumBelow(s, nk, lanes, m, l, constants);
    }
    if (p.threshold) drop(p, s, nk, nq, i0, j, spare);
    if (few) fewSums(p, s, LD, o, ldo, j, nk, nq);
    else {
      aggregate(s, at(p.valueStrips, j * 8), p.S, o, ldo, nk, nq, columns, !first);
      if (p.wildRows) addWild(p, s, o, ldo, j, nk, nq);
    }
    first = false;
  }
  finish(p, i0, nq, o, ldo, m, l, first);
}

// s[key][query] = k · q
function scores(keys: usize, queries: usize, s: usize, nk: i32, nq: i32, D: i32): void {
  for (let r = 0; r < nk; r += 6) {
    for (let c = 0; c < nq; c += 8) {
      tile(at(keys, r * D), 24, at(queries, c * D), 32, s + <usize>r * LD + (<usize>c << 2), LD, D, false);
    }
  }
}

// o[query][column] += Σ_key s[key][query] · v[key][column]
function aggregate(
  s: usize, values: usize, S: i32, o: usize, ldo: usize, nk: i32, nq: i32, wide: i32, accumulate: bool,
): void {
  for (let c = 0; c < wide; c += 8) {
    for (let r = 0; r < nq; r += 6) {
      tile(s + (<usize>r << 2), LD, at(values, c * S), 32, o + <usize>r * ldo + (<usize>c << 2), ldo, nk, accumulate);
    }
  }
}

// s ← e^s, l += its sums over the keys.
function sumBounded(s: usize, nk: i32, lanes: i32, l: usize, constants: usize): void {
  const k0 = v128.load32_splat(constants), k1 = v128.load32_splat(constants, 4), k2 = v128.load32_splat(constants, 8);
  const k3 = v128.load32_splat(constants, 12), k4 = v128.load32_splat(constants, 16), k5 = v128.load32_splat(constants, 20);
  const k6 = v128.load32_splat(constants, 24), k7 = v128.load32_splat(constants, 28);
  const rows = <usize>nk * LD, width = <usize>lanes << 2;
  for (let c: usize = 0; c < width; c += 32) {
    const from = s + c, to = from + rows, sums = l + c;
    let l0 = v128.load(sums), l1 = v128.load(sums, 16);
    for (let a = from; a < to; a += LD) {
      const e0 = expWith(v128.load(a), k0, k1, k2, k3, k4, k5, k6, k7);
      const e1 = expWith(v128.load(a, 16), k0, k1, k2, k3, k4, k5, k6, k7);
      v128.store(a, e0); v128.store(a, e1, 16);
      l0 = f32x4.add(l0, e0); l1 = f32x4.add(l1, e1);
    }
    v128.store(sums, l0); v128.store(sums, l1, 16);
  }
}

// A maximum of −∞ says that nothing is visible yet: 0 stands in for it, because −∞ − (−∞) is NaN.
// @ts-ignore: decorator
@inline function orZero(m: v128): v128 {
  return v128.andnot(m, f32x4.eq(m, f32x4.splat(-Infinity)));
}

// s ← e^(s − m), l += its sums over the keys; −∞ gives 0.
function sumBelow(s: usize, nk: i32, lanes: i32, m: usize, l: usize, constants: usize): void {
  const k0 = v128.load32_splat(constants), k1 = v128.load32_splat(constants, 4), k2 = v128.load32_splat(constants, 8);
  const k3 = v128.load32_splat(constants, 12), k4 = v128.load32_splat(constants, 16), k5 = v128.load32_splat(constants, 20);
  const k6 = v128.load32_splat(constants, 24), k7 = v128.load32_splat(constants, 28), least = v128.load32_splat(constants, 32);
  const rows = <usize>nk * LD, width = <usize>lanes << 2;
  for (let c: usize = 0; c < width; c += 32) {
    const from = s + c, to = from + rows, sums = l + c;
    const m0 = orZero(v128.load(m + c)), m1 = orZero(v128.load(m + c, 16));
    let l0 = v128.load(sums), l1 = v128.load(sums, 16);
    for (let a = from; a < to; a += LD) {
      // pmax keeps a NaN on its left.
      const y0 = f32x4.pmax(f32x4.sub(v128.load(a), m0), least), y1 = f32x4.pmax(f32x4.sub(v128.load(a, 16), m1), least);
      const e0 = expWith(y0, k0, k1, k2, k3, k4, k5, k6, k7), e1 = expWith(y1, k0, k1, k2, k3, k4, k5, k6, k7);
      v128.store(a, e0); v128.store(a, e1, 16);
      l0 = f32x4.add(l0, e0); l1 = f32x4.add(l1, e1);
    }
    v128.store(sums, l0); v128.store(sums, l1, 16);
  }
}

// m ← max(m, s) over the keys and factor ← e^(old m − new m); true where any maximum moved.
function raise(s: usize, nk: i32, lanes: i32, m: usize, factor: usize): bool {
  const rows = <usize>nk * LD, width = <usize>lanes << 2;
  let moved = i32x4.splat(0);
  for (let c: usize = 0; c < width; c += 64) {
    const from = s + c, to = from + rows, most = m + c;
    const b0 = v128.load(most), b1 = v128.load(most, 16), b2 = v128.load(most, 32), b3 = v128.load(most, 48);
    let m0 = b0, m1 = b1, m2 = b2, m3 = b3;
    // pmax keeps its left side where the right one is NaN: a NaN is no maximum, it shows up in the sum.
    for (let a = from; a < to; a += LD) {
      m0 = f32x4.pmax(m0, v128.load(a)); m1 = f32x4.pmax(m1, v128.load(a, 16));
      m2 = f32x4.pmax(m2, v128.load(a, 32)); m3 = f32x4.pmax(m3, v128.load(a, 48));
    }
    v128.store(most, m0); v128.store(most, m1, 16); v128.store(most, m2, 32); v128.store(most, m3, 48);
    v128.store(factor + c, expBelow(f32x4.sub(b0, orZero(m0))));
    v128.store(factor + c, expBelow(f32x4.sub(b1, orZero(m1))), 16);
    v128.store(factor + c, expBelow(f32x4.sub(b2, orZero(m2))), 32);
    v128.store(factor + c, expBelow(f32x4.sub(b3, orZero(m3))), 48);
    moved = v128.or(moved, v128.or(v128.or(f32x4.ne(b0, m0), f32x4.ne(b1, m1)), v128.or(f32x4.ne(b2, m2), f32x4.ne(b3, m3))));
  }
  return v128.any_true(moved);
}

function rescale(o: usize, ldo: usize, factor: usize, l: usize, nq: i32, lanes: i32): void {
  for (let i = 0; i < lanes; i += 4) v128.store(at(l, i), f32x4.mul(v128.load(at(l, i)), v128.load(at(factor, i))));
  for (let i = 0; i < nq; i++) {
    const f = f32.load(at(factor, i));
    if (f != 1) {
      const f4 = f32x4.splat(f), row = o + <usize>i * ldo;
      for (let c: usize = 0; c < ldo; c += 16) v128.store(row + c, f32x4.mul(v128.load(row + c), f4));
    }
  }
}

// Zero where dropout says so; 1 / (1 − rate) follows once, in `finish`.
function drop(p: Problem, s: usize, nk: i32, nq: i32, i0: i32, j0: i32, spare: usize): void {
  for (let r = 0; r < nk; r += 4) {
    for (let c = 0; c < nq; c += 4) {
      keptMask(p, i0 + c, j0 + r, spare);
      for (let h = 0; h < min(4, nk - r); h++) {
        const cell = s + <usize>(r + h) * LD + (<usize>c << 2);
        v128.store(cell, v128.and(v128.load(cell), v128.load(spare + (<usize>h << 4))));
      }
    }
  }
}

// The rows of v that strips left out, for the queries that see them.
function addWild(p: Problem, s: usize, o: usize, ldo: usize, j0: i32, nk: i32, nq: i32): void {
  const Dv = p.Dv;
  for (let r = 0; r < nk; r++) {
    if (!load<u8>(p.wild + <usize>(j0 + r))) continue;
    const v = at(p.v, (j0 + r) * p.vRow), row = s + <usize>r * LD;
    for (let i = 0; i < nq; i++) {
      const weight = f32.load(at(row, i)), out = o + <usize>i * ldo;
      if (weight == 0) continue;
      for (let c = 0; c < Dv; c++) f32.store(at(out, c), f32.load(at(out, c)) + weight * f32.load(at(v, c)));
    }
  }
}

// out = o / l and lse = m + ln l, the sink taking its part of l now. `empty`: no block had a visible key.
function finish(p: Problem, i0: i32, nq: i32, o: usize, ldo: usize, m: usize, l: usize, empty: bool): void {
  const Dv = p.Dv, keep: f32 = p.threshold ? p.keepScale : 1;
  for (let i = 0; i < nq; i++) {
    const out = at(p.out, (i0 + i) * p.outRow), lse = at(p.lse, i0 + i), low = at(p.lseLow, i0 + i), row = o + <usize>i * ldo;
    let most = f32.load(at(m, i)), sum = f32.load(at(l, i)), share: f32 = 1;
    const isEmpty = empty || sum == 0;
    if (p.empty) store<u8>(p.empty + <usize>(i0 + i), isEmpty ? 1 : 0);
    if (isEmpty) {
      memory.fill(out, 0, <usize>Dv << 2);
      f32.store(lse, p.sink);
      f32.store(low, 0);
      continue;
    }
    if (p.sink > most) {
      share = f32x4.extract_lane(vexp(f32x4.splat(most - p.sink)), 0);
      sum = sum * share + 1;
      most = p.sink;
    } else sum += f32x4.extract_lane(vexp(f32x4.splat(p.sink - most)), 0);
    // The rounding error of the sum, exactly (Knuth 1969, §4.2.2); −∞ and NaN have none that matters.
    const ln = logf(sum), high = most + ln, rest = high - most;
    f32.store(lse, high);
    f32.store(low, abs(high) < Infinity ? most - (high - rest) + (ln - rest) : 0);
    const factor = (share * keep) / sum, factor4 = f32x4.splat(factor);
    let c = 0;
    for (; c + 4 <= Dv; c += 4) v128.store(at(out, c), f32x4.mul(v128.load(at(row, c)), factor4));
    for (; c < Dv; c++) f32.store(at(out, c), f32.load(at(row, c)) * factor);
  }
}
