// Fused attention, backward, one head at a time. The weights are computed again from lse, a block at a time:
//
//     p = e^(score − lse)     dv = (p f)ᵀ dout     dscore = p (f (dout vᵀ) − delta),  delta = dout · out − dlse
//     dq = scale · (dscore slope) k     dk = scale · (dscore slope)ᵀ q     f: dropout's factors
//     slope: of the soft-cap and of the call's scoreMod
//
// Blocks of keys outside, blocks of queries inside, so dk and dv stay in the cache. The sums always run in this
// order: the same inputs give the same bits. Rows are queries here: dv and dk sum over them as the scores lie, and
// only dscore is turned, for dq.
//
// Ladder, measured as in forward.ts, 10·T·S·D flops a head, pieces of 48 queries:
//                                                              Node 20           Node 24         causal / full
//   five products on the 6 × 8 tile, blocks of 48 × 96         60.8 (91 %)       60.0 (90 %)       0.52
//   + constants of e^y from memory                             60.3 (92 %)       61.1 (93 %)       0.52–0.53
//   plain build                                                32.5 (49 %)       33.1 (50 %)       0.52
//   attentionBackward() itself, 8 heads, with copies: 357 ms   60.2 (91 %)       59.8 (91 %)       0.52
// Tried: blocks of 48 keys 84 %; of 192 keys 92 %, but 0.55 for causal; of 96 queries the same.
import { sum4, vtanh } from "../math";
import { at } from "../simd";
import { transpose, transpose4x4 } from "../transpose";
import { expWith, writeExpConstants } from "./exp";
import { BIAS, CAP, MODIFIED, ofFunctions, plan, transform } from "./mask";
import { addTensorGradients, CHANGED, modifySloped } from "./modify";
import { decodeProducts, isDecode } from "./decode";
import { decodeGradients } from "./decode-backward";
import { maxAbsRows, panels6, panels8, scale, strips, wide } from "./pack";
import { Problem } from "./problem";
import { keptMask } from "./random";
import { below, BK, BQ, blockKeys, LD, products } from "./scores";
import { tile } from "../tile";

// Bytes from one key's row to the next in the transposed block.
// @ts-ignore: decorator
@inline const LDT: usize = <usize>BQ << 2;

/** Bytes of scratch that one thread needs for attentionBackward. */
export function attentionBackwardScratchBytes(): i32 {
  return (7 * BQ * BK + 16) << 2;
}

/** Packs the keys and values of one head and clears their gradients. */
export function attentionBackwardKeys(p: Problem): void {
  const rows = ((p.S + 23) / 24) * 24;
  memory.fill(p.dkSum, 0, <usize>(rows * wide(p.D)) << 2);
  memory.fill(p.dvSum, 0, <usize>(rows * wide(p.Dv)) << 2);
  if (isDecode(p)) return;
  panels8(p.k, p.kRow, p.S, p.D, p.keyPanels, 1);
  panels8(p.v, p.vRow, p.S, p.Dv, p.valuePanels, 1);
  // A visible key that is not finite has made its rows NaN already, through lse; the strips may leave it out.
  strips(p.k, p.kRow, p.S, p.D, p.keyStrips, p.rowFlags, maxAbsRows(p.k, p.kRow, p.S, p.D));
}

/** Packs the queries and output gradients of one head; `delta` holds dlse and becomes dout · out − dlse. */
export function attentionBackwardQueries(p: Problem): void {
  const T = p.T, D = p.D, Dv = p.Dv;
  for (let i = 0; i < T; i++) {
    const a = at(p.dout, i * p.outRow), b = at(p.out, i * p.outRow), delta = at(p.delta, i);
    let s = f32x4.splat(0), c = 0;
    // An output of 0 counts as 0: a row that sees nothing has no use for its dout, were it NaN.
    for (; c + 4 <= Dv; c += 4) {
      const y = v128.load(at(b, c)), product = f32x4.mul(v128.load(at(a, c)), y);
      s = f32x4.add(s, v128.and(product, f32x4.ne(y, f32x4.splat(0))));
    }
    let sum = sum4(s);
    for (; c < Dv; c++) {
      const y = f32.load(at(b, c));
      if (y != 0) sum += f32.load(at(a, c)) * y;
    }
    f32.store(delta, sum - f32.load(delta));
  }
  if (isDecode(p)) return;
  panels6(p.q, p.qRow, T, D, p.queryPanels);
  scale(p.queryPanels, ((T + 5) / 6) * 6 * D, p.scale);
  panels6(p.dout, p.outRow, T, Dv, p.doutPanels);
  strips(p.q, p.qRow, T, D, p.queryStrips, p.doutFlags, maxAbsRows(p.q, p.qRow, T, D));
  const largest = maxAbsRows(p.dout, p.outRow, T, Dv);
  p.nonFiniteDoutRows = strips(p.dout, p.outRow, T, Dv, p.doutStrips, p.doutFlags, largest);
}

/**
 * Adds what queries [i0, i1) and keys [j0, j1) give each other: to dkSum and dvSum, to `dbias` (unless 0; laid out as
 * `bias`), to `sums` of captured tensors (unless 0), and to rows [i0, i1) of `dq`, rows of whole tiles, which it clears
 * first. j0 is a multiple of BK, i0 of BQ.
 */
export function attentionBackward(
  p: Problem, i0: i32, i1: i32, j0: i32, j1: i32, dq: usize, dbias: usize, sums: usize, scratch: usize,
): void {
  const row = wide(p.D), rows = ((i1 - i0 + 5) / 6) * 6;
  memory.fill(at(dq, i0 * row), 0, <usize>(rows * row) << 2);
  for (let j = j0; j < j1; j += BK) {
    const nk = blockKeys(p.S, j);
    for (let i = i0; i < i1; i += BQ) block(p, i, min(BQ, i1 - i), j, nk, dq, dbias, sums, scratch);
  }
}

function block(
  p: Problem, i0: i32, nq: i32, j0: i32, nk: i32, dq: usize, dbias: usize, sums: usize, s: usize,
): void {
  let todo = plan(p, i0, i0 + nq, j0, j0 + nk);
  if (todo < 0) return;
  const D = p.D, Dv = p.Dv, T = p.T, S = p.S;
  const ds = at(s, BQ * BK), turned = at(ds, BQ * BK), slope = at(turned, BQ * BK);
  const factors = at(slope, BQ * BK), before = at(factors, BQ * BK), change = at(before, BQ * BK);
  const spare = at(change, BQ * BK);
  const decode = isDecode(p), keys = min(nk, S - j0);
  if (decode) {
    decodeProducts(at(p.q, i0 * p.qRow), p.qRow, at(p.k, j0 * p.kRow), p.kRow, s, LD, 4, nq, keys, D, p.scale);
    decodeProducts(at(p.dout, i0 * p.outRow), p.outRow, at(p.v, j0 * p.vRow), p.vRow, ds, LD, 4, nq, keys, Dv, 1);
  } else {
    products(at(p.queryPanels, i0 * D), at(p.keyPanels, j0 * D), s, nq, nk, D);
    products(at(p.doutPanels, i0 * Dv), at(p.valuePanels, j0 * Dv), ds, nq, nk, Dv);
  }
  if (todo & CAP) {
    squash(s, slope, nq, p.softCap);
    todo ^= CAP;
  }
  const capped = p.softCap > 0;
  const changed = (ofFunctions(todo) & CHANGED) != 0;
  if (changed) {
    if (todo & BIAS) transform(p, BIAS, false, s, LD, nq, nk, i0, nq, j0, 0);
    if (sums) memory.copy(before, s, <usize>nq * LD);
    modifySloped(p, ofFunctions(todo), s, LD, nq, nk, i0, j0, change);
    todo &= ~(BIAS | MODIFIED);
  }
  if (todo) transform(p, todo, false, s, LD, nq, nk, i0, nq, j0, 0);
  if (p.threshold) {
    dropoutFactors(p, factors, i0, nq, j0, nk, spare);
    multiply(ds, factors, nq);
  }
  writeExpConstants(spare);
  differentiate(s, ds, at(p.lse, i0), at(p.lseLow, i0), at(p.delta, i0), nq, nk, spare);
  if (p.threshold) multiply(s, factors, nq);
  if (changed) {
    if (sums) addTensorGradients(p, before, LD, nq, nk, i0, j0, ds, sums);
    multiply(ds, change, nq);
  }
  if (dbias) addBiasGradient(p, dbias, ds, i0, nq, j0, keys);
  if (capped) multiply(ds, slope, nq);
  if (decode) {
    decodeGradients(p, s, ds, at(dq, i0 * wide(D)), i0, nq, j0, keys);
    return;
  }
  transpose(ds, turned, nq, nk, LD, LDT);
  sumOverQueries(s, at(p.doutStrips, i0 * 8), T, at(p.dvSum, j0 * wide(Dv)), nq, nk, wide(Dv));
  if (p.nonFiniteDoutRows) addNonFinite(p, s, i0, nq, j0, nk);
  sumOverQueries(ds, at(p.queryStrips, i0 * 8), T, at(p.dkSum, j0 * wide(D)), nq, nk, wide(D));
  sumOverKeys(turned, at(p.keyStrips, j0 * 8), S, at(dq, i0 * wide(D)), nq, keys, wide(D));
}

// s ← p and ds ← p (ds − delta). A weight of 0 gives 0, whatever stands in ds.
function differentiate(
  s: usize, ds: usize, lse: usize, lseLow: usize, delta: usize, nq: i32, nk: i32, constants: usize,
): void {
  const k0 = v128.load32_splat(constants), k1 = v128.load32_splat(constants, 4), k2 = v128.load32_splat(constants, 8);
  const k3 = v128.load32_splat(constants, 12), k4 = v128.load32_splat(constants, 16), k5 = v128.load32_splat(constants, 20);
  const k6 = v128.load32_splat(constants, 24), k7 = v128.load32_splat(constants, 28), least = v128.load32_splat(constants, 32);
  const width = <usize>nk << 2, zero = f32x4.splat(0);
  for (let r = 0; r < nq; r++) {
    const l = v128.load32_splat(at(lse, r)), low = v128.load32_splat(at(lseLow, r)), d = v128.load32_splat(at(delta, r));
    for (let c: usize = 0; c < width; c += 32) {
      const y0 = f32x4.pmax(below(v128.load(s + c), l, low), least);
      const y1 = f32x4.pmax(below(v128.load(s + c, 16), l, low), least);
      const p0 = expWith(y0, k0, k1, k2, k3, k4, k5, k6, k7), p1 = expWith(y1, k0, k1, k2, k3, k4, k5, k6, k7);
      const g0 = f32x4.mul(p0, f32x4.sub(v128.load(ds + c), d)), g1 = f32x4.mul(p1, f32x4.sub(v128.load(ds + c, 16), d));
      v128.store(s + c, p0); v128.store(s + c, p1, 16);
      v128.store(ds + c, v128.and(g0, f32x4.ne(p0, zero))); v128.store(ds + c, v128.and(g1, f32x4.ne(p1, zero)), 16);
    }
    s += LD;
    ds += LD;
  }
}

// out[key][column] += Σ_query a[query][key] · b[query][column]
function sumOverQueries(a: usize, strip: usize, T: i32, out: usize, nq: i32, nk: i32, columns: i32): void {
  const ld = <usize>columns << 2;
  for (let c = 0; c < columns; c += 8) {
    for (let r = 0; r < nk; r += 6) {
      tile(a + (<usize>r << 2), LD, at(strip, c * T), 32, out + <usize>r * ld + (<usize>c << 2), ld, nq, true);
    }
  }
}

// out[query][column] += Σ_key a[key][query] · b[key][column]
function sumOverKeys(a: usize, strip: usize, S: i32, out: usize, nq: i32, nk: i32, columns: i32): void {
  const ld = <usize>columns << 2;
  for (let c = 0; c < columns; c += 8) {
    for (let r = 0; r < nq; r += 6) {
      tile(a + (<usize>r << 2), LDT, at(strip, c * S), 32, out + <usize>r * ld + (<usize>c << 2), ld, nk, true);
    }
  }
}

// s ← cap · tanh(s / cap) and its derivative.
function squash(s: usize, slope: usize, nq: i32, cap: f32): void {
  const one = f32x4.splat(1), scale = f32x4.splat(cap), inverse = f32x4.splat(1 / cap);
  for (let end = s + <usize>nq * LD; s < end; s += 16) {
    const t = vtanh(f32x4.mul(v128.load(s), inverse));
    v128.store(s, f32x4.mul(scale, t));
    v128.store(slope, f32x4.sub(one, f32x4.mul(t, t)));
    slope += 16;
  }
}

// x ← x · y; what is 0 stays 0, also where y is NaN because its score is hidden.
function multiply(x: usize, y: usize, nq: i32): void {
  for (let end = x + <usize>nq * LD; x < end; x += 16) {
    const a = v128.load(x);
    v128.store(x, v128.and(f32x4.mul(a, v128.load(y)), f32x4.ne(a, f32x4.splat(0))));
    y += 16;
  }
}

// The factors of dropout: 0 or 1 / (1 − rate).
function dropoutFactors(p: Problem, factors: usize, i0: i32, nq: i32, j0: i32, nk: i32, spare: usize): void {
  const keep = f32x4.splat(p.keepScale);
  for (let r = 0; r < nq; r += 4) {
    for (let c = 0; c < nk; c += 4) {
      keptMask(p, i0 + r, j0 + c, spare);
      for (let h: usize = 0; h < 64; h += 16) v128.store(spare + h, v128.and(v128.load(spare + h), keep));
      transpose4x4(spare, 16, factors + <usize>r * LD + (<usize>c << 2), LD);
    }
  }
}

function addBiasGradient(p: Problem, dbias: usize, ds: usize, i0: i32, nq: i32, j0: i32, nk: i32): void {
  for (let r = 0; r < nq; r++) {
    const row = ds + <usize>r * LD;
    let out = at(dbias, (p.biasRow ? i0 + r - p.row0 : 0) * p.biasRow + j0 * p.biasKey), sum: f32 = 0;
    for (let c = 0; c < nk; c++) {
      const d = f32.load(at(row, c));
      if (p.biasKey) f32.store(at(out, c), f32.load(at(out, c)) + d);
      else sum += d;
    }
    if (!p.biasKey) f32.store(out, f32.load(out) + sum);
  }
}

// The rows of dout that strips left out, for the keys that they see.
function addNonFinite(p: Problem, s: usize, i0: i32, nq: i32, j0: i32, nk: i32): void {
  const Dv = p.Dv;
  for (let r = 0; r < nq; r++) {
    if (!load<u8>(p.doutFlags + <usize>(i0 + r))) continue;
    const dout = at(p.dout, (i0 + r) * p.outRow), row = s + <usize>r * LD;
    for (let j = 0; j < nk; j++) {
      const weight = f32.load(at(row, j)), dv = at(p.dvSum, (j0 + j) * wide(Dv));
      if (weight == 0) continue;
      for (let c = 0; c < Dv; c++) f32.store(at(dv, c), f32.load(at(dv, c)) + weight * f32.load(at(dout, c)));
    }
  }
}

/** dq = scale · the sum of `parts` partial sums, `partBytes` apart, in their order. */
export function attentionBackwardQueriesDone(p: Problem, partial: usize, parts: i32, partBytes: i32): void {
  for (let n = 1; n < parts; n++) {
    const from = partial + <usize>n * <usize>partBytes, size = <usize>(p.T * wide(p.D)) << 2;
    for (let e: usize = 0; e < size; e += 16) {
      v128.store(partial + e, f32x4.add(v128.load(partial + e), v128.load(from + e)));
    }
  }
  unpad(partial, p.T, p.D, p.dq, p.qRow, p.scale);
}

/** dk = scale · dkSum, dv = dvSum. */
export function attentionBackwardKeysDone(p: Problem): void {
  unpad(p.dkSum, p.S, p.D, p.dk, p.kRow, p.scale);
  unpad(p.dvSum, p.S, p.Dv, p.dv, p.vRow, 1);
}

// Rows of whole tiles → rows of `cols` floats, `row` floats apart, every element times `factor`.
function unpad(from: usize, rows: i32, cols: i32, to: usize, row: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c + 4 <= cols; c += 4) v128.store(at(to, c), f32x4.mul(v128.load(at(from, c)), f));
    for (; c < cols; c++) f32.store(at(to, c), f32.load(at(from, c)) * factor);
    from = at(from, wide(cols));
    to = at(to, row);
  }
}
