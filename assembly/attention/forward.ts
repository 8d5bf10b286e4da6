// Fused attention, forward, one head at a time: out = softmax(scores) · v without ever holding the T × S scores.
//
// A block is 48 queries × 96 keys. Its scores are held transposed, lanes are queries and rows are keys, so both
// products read their broadcast operand at consecutive addresses and the softmax has no horizontal step; scores and
// sums come from the 6 × 8 register tile of tile.ts over packed operands. A row subtracts 0 until one of its scores
// leaves ±32, then a maximum as in Milakov & Gimelshein 2018 that is raised when a block exceeds it by 32. Where Cauchy
// and Schwarz say beforehand that no score can leave ±32, nobody looks: e^score is summed as is, to the same bits. So no
// bit of a row depends on a key that it does not see.
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
// Other widths, Node 20: D = 32 83 %, D = 128 94 %, D = 256 92 %. T = 512 87 %.
// One head of 64 × 64 × 64 with the packing of its keys, least of 60 on a busy machine: 23.5 µs (65 %); 20.4 µs (75 %)
// since the division and the logarithm go four rows at a time (3.4 µs before, 1.3 since), lengths of rows too, and
// magnitudes are compared as integers (1.1 µs before, 0.1 since: V8 makes six instructions of f32x4.max). With scores
// that leave ±32: 21.3 µs. Tried and no faster: weights divided where all keys are in one block, so that the sums over
// the values go straight to the output.
// Tried and no faster: blocks of 48 or 192 keys, of 96 queries; e^y on four vectors at a time instead of two.
// One query over 4096 keys, 8 heads, Node 24: 2.9 ms packed, 0.96 ms in place (decode.ts).
import { vexp, vlog } from "../math";
import { store as storeLanes } from "../lanes";
import { at } from "../simd";
import { expBelow, expWith, writeExpConstants } from "./exp";
import { decodeProducts, decodeSums, isDecode } from "./decode";
import { PARTLY, plan, transform } from "./mask";
import { hiddenBefore, seenUntil } from "./modify";
import { flagRows, LARGE, longestRow, maxAbsRows, NON_FINITE, panels6, panels8, strips, wide } from "./pack";
import { Problem } from "./problem";
import { keptMask } from "./random";
import { BK, BQ } from "./scores";
import { tile } from "../tile";

// Bytes from one key's row to the next: scores lie transposed here.
const LD: usize = <usize>BQ << 2;
// Scores within ±32 need no maximum to be subtracted: sums stay below 2⁷⁷, and values below 2⁴⁰ cannot take them out
// of range. So a row subtracts 0 until a block has a score beyond that.
const SAFE_SCORE: f32 = 32;
const SAFE_VALUE: f32 = 1099511627776;

/** Bytes of scratch that one thread needs for attentionForward. */
export function attentionScratchBytes(D: i32, Dv: i32): i32 {
  return (2 * BQ * BK + BQ * wide(Dv) + BQ * D + 5 * BQ + 16) << 2;
}

/** Packs the keys and values of one head; every query head that shares them uses the same packing. */
export function attentionKeys(p: Problem): void {
  if (isDecode(p)) return;
  panels6(p.k, p.kRow, p.S, p.D, p.keyPanels);
  p.keyNorm = longestRow(p.k, p.kRow, p.S, p.D);
  p.valueMax = maxAbsRows(p.v, p.vRow, p.S, p.Dv);
  p.nonFiniteRows = strips(p.v, p.vRow, p.S, p.Dv, p.valueStrips, p.rowFlags, p.valueMax);
  if (!(p.valueMax < SAFE_VALUE)) flagRows(p.v, p.vRow, p.S, p.Dv, p.rowFlags, SAFE_VALUE, LARGE);
}

/** Queries [i0, i1) of one head, to `out` and `lse`. */
export function attentionForward(p: Problem, i0: i32, i1: i32, scratch: usize): void {
  for (let i = i0; i < i1; i += BQ) block(p, i, min(BQ, i1 - i), scratch);
}

function block(p: Problem, i0: i32, nq: i32, s: usize): void {
  const D = p.D, columns = wide(p.Dv), ldo = <usize>columns << 2;
  const spare = at(s, BQ * BK), o = at(spare, BQ * BK), queries = at(o, BQ * columns);
  const m = at(queries, BQ * D), l = m + LD, factor = l + LD, slack = factor + LD, constants = slack + LD;
  writeExpConstants(constants);
  const start = (max(0, i0 + p.low) / 24) * 24, end = min(p.S, i0 + nq + p.high);
  const decode = isDecode(p), lanes = decode ? 8 : (nq + 15) & ~15;
  let bounded = false;
  if (decode) {
    memory.fill(o, 0, <usize>nq * ldo);
  } else {
    panels8(at(p.q, i0 * p.qRow), p.qRow, nq, D, queries, p.scale);
    const reach = abs(p.scale) * longestRow(at(p.q, i0 * p.qRow), p.qRow, nq, D) * p.keyNorm;
    bounded = reach <= SAFE_SCORE && p.valueMax < SAFE_VALUE && !p.bias && p.softCap == 0 && !p.changes;
  }
  const hasLarge = !decode && !(p.valueMax < SAFE_VALUE);
  for (let i = 0; i < lanes; i += 4) {
    v128.store(at(m, i), f32x4.splat(bounded ? 0 : -Infinity));
    v128.store(at(l, i), f32x4.splat(0));
  }
  let first = true;
  for (let j = start, next = start; j < end; j = next) {
    let nk = min(BK, end - j), todo = plan(p, i0, i0 + nq, j, j + nk);
    next = j + BK;
    if (todo < 0) continue;
    if (todo & PARTLY) {
      // A block begins and ends with what its queries see: a window or a document takes a block less.
      j += hiddenBefore(p, i0, i0 + nq, j, nk);
      nk = min(BK, end - j);
      next = j + nk;
      nk = seenUntil(p, i0, i0 + nq, j, nk);
      todo = plan(p, i0, i0 + nq, j, j + nk);
      if (todo < 0) continue;
    }
    if (decode) decodeProducts(at(p.q, i0 * p.qRow), p.qRow, at(p.k, j * p.kRow), p.kRow, s, 4, LD, nq, nk, D, p.scale);
    else scores(at(p.keyPanels, j * D), queries, s, nk, nq, D);
    if (todo) transform(p, todo, true, s, LD, nk, (nq + 3) & ~3, i0, nq, j, spare);
    if (bounded && !todo) sumBounded(s, nk, lanes, l, constants);
    else {
      if (!bounded) {
        slacken(p, s, nk, lanes, j, slack, decode, hasLarge);
        if (raise(s, nk, lanes, m, slack, factor) && !first) rescale(o, ldo, factor, l, nq, lanes);
      }
      sumBelow(s, nk, lanes, m, l, constants);
    }
    if (p.threshold) drop(p, s, nk, nq, i0, j, spare);
    if (decode) decodeSums(p, s, LD, o, ldo, j, nk, nq);
    else {
      aggregate(s, at(p.valueStrips, j * 8), p.S, o, ldo, nk, nq, columns, !first);
      if (p.nonFiniteRows) addNonFinite(p, s, o, ldo, j, nk, nq);
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

// What a row subtracts is −∞ while nothing is visible, and +∞ once a score is: 0 stands in for both, because ∞ − ∞ is
// NaN. (Scores below +∞ are hidden then, see `saturate`.)
// @ts-ignore: decorator
@inline function orZero(m: v128): v128 {
  return v128.andnot(m, f32x4.eq(f32x4.abs(m), f32x4.splat(Infinity)));
}

// Scores of +∞ take all the mass, in equal shares: 0 for them and −∞ for the others, NaN apart.
function saturate(s: usize, rows: usize, m: v128): void {
  const infinity = f32x4.splat(Infinity), full = f32x4.eq(m, infinity);
  for (let a = s; a < s + rows; a += LD) {
    const x = v128.load(a), share = v128.bitselect(f32x4.splat(0), f32x4.sub(x, infinity), f32x4.eq(x, infinity));
    v128.store(a, v128.bitselect(share, x, full));
  }
}

// s ← e^(s − m), l += its sums over the keys; −∞ gives 0.
function sumBelow(s: usize, nk: i32, lanes: i32, m: usize, l: usize, constants: usize): void {
  const k0 = v128.load32_splat(constants), k1 = v128.load32_splat(constants, 4), k2 = v128.load32_splat(constants, 8);
  const k3 = v128.load32_splat(constants, 12), k4 = v128.load32_splat(constants, 16), k5 = v128.load32_splat(constants, 20);
  const k6 = v128.load32_splat(constants, 24), k7 = v128.load32_splat(constants, 28), least = v128.load32_splat(constants, 32);
  const rows = <usize>nk * LD, width = <usize>lanes << 2;
  for (let c: usize = 0; c < width; c += 32) {
    const from = s + c, to = from + rows, sums = l + c;
    const most0 = v128.load(m + c), most1 = v128.load(m + c, 16), m0 = orZero(most0), m1 = orZero(most1);
    if (v128.any_true(f32x4.eq(f32x4.max(most0, most1), f32x4.splat(Infinity)))) {
      saturate(from, rows, most0);
      saturate(from + 16, rows, most1);
    }
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

// How far above what it subtracts a row's scores may go. It is 0 for a row that sees a large value, whose product with
// e³² could overflow, and where values are not looked at. Only what a row sees decides: hidden keys move no bit of it.
function slacken(
  p: Problem, s: usize, nk: i32, lanes: i32, j0: i32, slack: usize, decode: bool, hasLarge: bool,
): void {
  const usual = f32x4.splat(decode ? 0 : SAFE_SCORE);
  for (let c = 0; c < lanes; c += 4) v128.store(at(slack, c), usual);
  if (!hasLarge) return;
  const hidden = f32x4.splat(-Infinity);
  for (let r = 0; r < nk; r++) {
    if (load<u8>(p.rowFlags + <usize>(j0 + r)) != LARGE) continue;
    const row = s + <usize>r * LD;
    for (let c = 0; c < lanes; c += 4) {
      const isHidden = f32x4.eq(v128.load(at(row, c)), hidden);
      v128.store(at(slack, c), v128.and(v128.load(at(slack, c)), isHidden));
    }
  }
}

// Raises what a row subtracts, m, where a score is more than `slack` above it: to 0, or to the block's maximum if that
// is farther than `slack` from 0. factor ← e^(old m − new m); true where any m moved.
function raise(s: usize, nk: i32, lanes: i32, m: usize, slack: usize, factor: usize): bool {
  const rows = <usize>nk * LD, width = <usize>lanes << 2, hidden = f32x4.splat(-Infinity);
  let moved = i32x4.splat(0);
  for (let c: usize = 0; c < width; c += 64) {
    const from = s + c, to = from + rows;
    let b0 = hidden, b1 = hidden, b2 = hidden, b3 = hidden;
    // pmax keeps its left side where the right one is NaN: a NaN is no maximum, it shows up in the sum.
    for (let a = from; a < to; a += LD) {
      b0 = f32x4.pmax(b0, v128.load(a)); b1 = f32x4.pmax(b1, v128.load(a, 16));
      b2 = f32x4.pmax(b2, v128.load(a, 32)); b3 = f32x4.pmax(b3, v128.load(a, 48));
    }
    moved = v128.or(moved, v128.or(raiseLanes(b0, m + c, slack + c, factor + c), raiseLanes(b1, m + c + 16, slack + c + 16, factor + c + 16)));
    moved = v128.or(moved, v128.or(raiseLanes(b2, m + c + 32, slack + c + 32, factor + c + 32), raiseLanes(b3, m + c + 48, slack + c + 48, factor + c + 48)));
  }
  return v128.any_true(moved);
}

function raiseLanes(most: v128, m: usize, slack: usize, factor: usize): v128 {
  const before = v128.load(m), reach = v128.load(slack);
  const stays = f32x4.le(most, f32x4.add(before, reach));
  const after = v128.bitselect(before, v128.andnot(most, f32x4.le(f32x4.abs(most), reach)), stays);
  v128.store(m, after);
  v128.store(factor, expBelow(v128.andnot(f32x4.sub(before, after), stays)));
  return v128.not(stays);
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
function addNonFinite(p: Problem, s: usize, o: usize, ldo: usize, j0: i32, nk: i32, nq: i32): void {
  const Dv = p.Dv;
  for (let r = 0; r < nk; r++) {
    if (load<u8>(p.rowFlags + <usize>(j0 + r)) != NON_FINITE) continue;
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
  const Dv = p.Dv, one = f32x4.splat(1), zero = f32x4.splat(0), infinity = f32x4.splat(Infinity);
  const sink = f32x4.splat(p.sink), keep = f32x4.splat(p.threshold ? p.keepScale : 1);
  for (let c = 0; c < nq; c += 4) {
    const most = v128.load(at(m, c)), before = empty ? zero : v128.load(at(l, c)), isEmpty = f32x4.eq(before, zero);
    // Of sink and m the larger is subtracted now: one of these factors is 1.
    const isSinkAbove = f32x4.gt(sink, most);
    const smaller = vexp(f32x4.sub(f32x4.min(sink, most), f32x4.max(sink, most)));
    const share = v128.bitselect(smaller, one, isSinkAbove);
    const sum = v128.bitselect(f32x4.add(f32x4.mul(before, smaller), one), f32x4.add(before, smaller), isSinkAbove);
    const top = v128.bitselect(sink, most, isSinkAbove);
    // The rounding error of the sum, exactly (Knuth 1969, §4.2.2); −∞ and NaN have none that matters. At +∞ it is what
    // tells the shares of those that have it all: the logarithm of their number.
    const ln = vlog(sum), high = f32x4.add(top, ln), rest = f32x4.sub(high, top);
    const error = f32x4.add(f32x4.sub(top, f32x4.sub(high, rest)), f32x4.sub(ln, rest));
    let low = v128.and(error, f32x4.lt(f32x4.abs(high), infinity));
    low = v128.bitselect(ln, low, f32x4.eq(high, infinity));
    const n = min(4, nq - c), flags = i32x4.bitmask(isEmpty);
    storeLanes(at(p.lse, i0 + c), v128.bitselect(sink, high, isEmpty), n);
    storeLanes(at(p.lseLow, i0 + c), v128.andnot(low, isEmpty), n);
    v128.store(at(l, c), f32x4.div(f32x4.mul(share, keep), sum));
    if (p.empty) for (let h = 0; h < n; h++) store<u8>(p.empty + <usize>(i0 + c + h), (flags >> h) & 1);
    for (let h = 0; h < n; h++) {
      const out = at(p.out, (i0 + c + h) * p.outRow), row = o + <usize>(c + h) * ldo;
      if ((flags >> h) & 1) {
        memory.fill(out, 0, <usize>Dv << 2);
        continue;
      }
      const factor = v128.load32_splat(at(l, c + h));
      let d = 0;
      for (; d + 4 <= Dv; d += 4) v128.store(at(out, d), f32x4.mul(v128.load(at(row, d)), factor));
      if (d < Dv) storeLanes(at(out, d), f32x4.mul(v128.load(at(row, d)), factor), Dv - d);
    }
  }
}
