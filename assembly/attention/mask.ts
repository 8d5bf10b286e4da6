// From products q·k to what the softmax sees, on one tile of scores: soft-cap, then bias, then the functions of the call
// (scoreMod and maskMod), then allow, then the band;
// what is hidden becomes −∞ by selection, so a NaN there goes too. A tile has `rows` rows of `ld` bytes with `lanes`
// floats, a multiple of 4. In the forward pass a row is a key and the lanes are queries; in the others it is the
// other way round (`keyRows` says which).
import { vtanh } from "../math";
import { at } from "../simd";
import { transpose } from "../transpose";
import { CHANGED, MASKED, modify, planModified } from "./modify";
import { Problem } from "./problem";

// @ts-ignore: decorator
@inline const NONE: i32 = 0;
// @ts-ignore: decorator
@inline const SOME: i32 = 1;
// @ts-ignore: decorator
@inline const ALL: i32 = 2;

// @ts-ignore: decorator
@inline const BAND: i32 = 1;
// @ts-ignore: decorator
@inline const ALLOW: i32 = 2;
// @ts-ignore: decorator
@inline export const CAP: i32 = 4;
// @ts-ignore: decorator
@inline export const BIAS: i32 = 8;
// What the functions of a call ask for, above the others.
// @ts-ignore: decorator
@inline const FUNCTIONS: i32 = 4;
// @ts-ignore: decorator
@inline export const MODIFIED: i32 = (MASKED | CHANGED) << FUNCTIONS;

// @ts-ignore: decorator
@inline export const PARTLY: i32 = MASKED << FUNCTIONS;

/** What is asked of the functions of a call, as they know it. */
// @ts-ignore: decorator
@inline export function ofFunctions(todo: i32): i32 {
  return todo >> FUNCTIONS;
}

/** How much of queries [i0, i1) × keys [j0, j1) the allow mask lets through: 0 nothing, 1 some, 2 everything. */
function allowed(p: Problem, i0: i32, i1: i32, j0: i32, j1: i32): i32 {
  if (!p.allow) return ALL;
  const width: usize = p.allowKey ? j1 - j0 : 1, height = p.allowRow ? i1 - i0 : 1;
  let any = i8x16.splat(0), all = i8x16.splat(-1);
  let row = p.allow + <usize>((p.allowRow ? i0 - p.row0 : 0) * p.allowRow + j0 * p.allowKey);
  for (let i = 0; i < height; i++) {
    let c: usize = 0;
    for (; c + 16 <= width; c += 16) {
      const shown = i8x16.ne(v128.load(row + c), i8x16.splat(0));
      any = v128.or(any, shown);
      all = v128.and(all, shown);
    }
    for (; c < width; c++) {
      const shown = i8x16.splat(load<u8>(row + c) ? -1 : 0);
      any = v128.or(any, shown);
      all = v128.and(all, shown);
    }
    row += <usize>p.allowRow;
  }
  if (!v128.any_true(any)) return NONE;
  return i8x16.all_true(all) ? ALL : SOME;
}

/** True where the bias is −∞ throughout; a usual bias says no with its first number. */
function hiddenByBias(p: Problem, i0: i32, i1: i32, j0: i32, j1: i32): bool {
  if (!p.bias) return false;
  const width = p.biasKey ? j1 - j0 : 1, height = p.biasRow ? i1 - i0 : 1;
  let row = at(p.bias, (p.biasRow ? i0 - p.row0 : 0) * p.biasRow + j0 * p.biasKey);
  for (let i = 0; i < height; i++) {
    for (let c = 0; c < width; c++) if (f32.load(at(row, c)) != -Infinity) return false;
    row = at(row, p.biasRow);
  }
  return true;
}

/**
 * What must be done to the scores of queries [i0, i1) × keys [j0, j1): −1 where nothing of them is visible, so that
 * they need no computing at all; else a sum of BAND, ALLOW, CAP, BIAS and of MODIFIED, 0 where the products can go to the softmax
 * as they are.
 */
export function plan(p: Problem, i0: i32, i1: i32, j0: i32, j1: i32): i32 {
  const nearest = j0 - (i1 - 1), farthest = j1 - 1 - i0;
  if (farthest < p.low || nearest > p.high) return -1;
  const shown = allowed(p, i0, i1, max(j0, 0), min(j1, p.S));
  if (shown == NONE || hiddenByBias(p, i0, i1, max(j0, 0), min(j1, p.S))) return -1;
  let modified = 0;
  if (p.functions) {
    modified = planModified(p, i0, i1, max(j0, 0), min(j1, p.S));
    if (modified < 0) return -1;
  }
  const band = nearest < p.low || farthest > p.high || j1 > p.S ? BAND : 0;
  return band | (shown == ALL ? 0 : ALLOW) | (p.softCap > 0 ? CAP : 0) | (p.bias ? BIAS : 0) | (modified << FUNCTIONS);
}

/** Applies what `plan` asked for to the tile whose first element is query i0 and key j0; nq of its queries exist. */
export function transform(
  p: Problem, todo: i32, keyRows: bool, tile: usize, ld: usize, rows: i32, lanes: i32, i0: i32, nq: i32, j0: i32,
  scratch: usize,
): void {
  if (todo & CAP) squash(tile, ld, rows, lanes, p.softCap);
  if (todo & BIAS) addBias(p, keyRows, tile, ld, rows, lanes, i0, nq, j0, scratch);
  if (todo & MODIFIED) modify(p, ofFunctions(todo), keyRows, tile, ld, rows, lanes, i0, j0);
  if (todo & ALLOW) {
    if (keyRows) hideKeyRows(p, tile, ld, rows, lanes, i0, nq, j0);
    else hideQueryRows(p, tile, ld, min(rows, nq), lanes, i0, j0);
  }
  if (todo & BAND) {
    const d = j0 - i0;
    if (keyRows) hideBand(tile, ld, rows, lanes, d - p.high, d - p.low, lanes);
    else hideBand(tile, ld, rows, lanes, p.low - d, p.high - d, p.S - j0);
  }
}

function squash(tile: usize, ld: usize, rows: i32, lanes: i32, cap: f32): void {
  const scale = f32x4.splat(cap), inverse = f32x4.splat(1 / cap), width = <usize>lanes << 2;
  for (let r = 0; r < rows; r++) {
    for (let c: usize = 0; c < width; c += 16) {
      v128.store(tile + c, f32x4.mul(scale, vtanh(f32x4.mul(v128.load(tile + c), inverse))));
    }
    tile += ld;
  }
}

function addBias(
  p: Problem, keyRows: bool, tile: usize, ld: usize, rows: i32, lanes: i32, i0: i32, nq: i32, j0: i32, scratch: usize,
): void {
  let bias = at(p.bias, (p.biasRow ? i0 - p.row0 : 0) * p.biasRow + j0 * p.biasKey);
  let rowStep = <usize>(keyRows ? p.biasKey : p.biasRow) << 2, laneStep = keyRows ? p.biasRow : p.biasKey;
  if (keyRows && p.biasRow != 0 && p.biasKey != 0) {
    transpose(bias, scratch, nq, rows, <usize>p.biasRow << 2, ld);
    bias = scratch;
    rowStep = ld;
    laneStep = 1;
  }
  const hidden = f32x4.splat(-Infinity), width = <usize>lanes << 2;
  if (!keyRows) rows = min(rows, nq);
  for (let r = 0; r < rows; r++) {
    const same = v128.load32_splat(bias);
    for (let c: usize = 0; c < width; c += 16) {
      const b = laneStep ? v128.load(bias + c) : same;
      v128.store(tile + c, v128.bitselect(hidden, f32x4.add(v128.load(tile + c), b), f32x4.eq(b, hidden)));
    }
    tile += ld;
    bias += rowStep;
  }
}

// Row r keeps its lanes from r + first to r + last, and only those below `limit`.
function hideBand(tile: usize, ld: usize, rows: i32, lanes: i32, first: i32, last: i32, limit: i32): void {
  const hidden = f32x4.splat(-Infinity), width = <usize>lanes << 2;
  for (let r = 0; r < rows; r++) {
    const from = i32x4.splat(r + first), to = i32x4.splat(min(r + last, limit - 1));
    let lane = i32x4(0, 1, 2, 3);
    for (let c: usize = 0; c < width; c += 16) {
      const shown = v128.and(i32x4.ge_s(lane, from), i32x4.le_s(lane, to));
      v128.store(tile + c, v128.bitselect(v128.load(tile + c), hidden, shown));
      lane = i32x4.add(lane, i32x4.splat(4));
    }
    tile += ld;
  }
}

// Rows are keys: bytes of four queries at a time are turned on their side.
function hideKeyRows(p: Problem, tile: usize, ld: usize, rows: i32, lanes: i32, i0: i32, nq: i32, j0: i32): void {
  const hidden = f32x4.splat(-Infinity), zero = i32x4.splat(0);
  const base = p.allow + <usize>((p.allowRow ? i0 - p.row0 : 0) * p.allowRow + j0 * p.allowKey);
  for (let c = 0; c < lanes; c += 4) {
    const last = nq - 1, step = p.allowRow, column = tile + (<usize>c << 2);
    const a0 = base + <usize>(min(c, last) * step), a1 = base + <usize>(min(c + 1, last) * step);
    const a2 = base + <usize>(min(c + 2, last) * step), a3 = base + <usize>(min(c + 3, last) * step);
    for (let r: usize = 0; r < <usize>rows; r++) {
      const o = p.allowKey ? r : 0;
      const shown = i32x4(load<u8>(a0 + o), load<u8>(a1 + o), load<u8>(a2 + o), load<u8>(a3 + o));
      const cell = column + r * ld;
      v128.store(cell, v128.bitselect(hidden, v128.load(cell), i32x4.eq(shown, zero)));
    }
  }
}

// Rows are queries: a byte for each lane, or one for all.
function hideQueryRows(p: Problem, tile: usize, ld: usize, rows: i32, lanes: i32, i0: i32, j0: i32): void {
  const hidden = f32x4.splat(-Infinity), zero = i32x4.splat(0), width = <usize>lanes;
  let row = p.allow + <usize>((p.allowRow ? i0 - p.row0 : 0) * p.allowRow + j0 * p.allowKey);
  for (let r = 0; r < rows; r++) {
    const same = i32x4.splat(load<u8>(row));
    for (let c: usize = 0; c < width; c += 4) {
      const bytes = p.allowKey ? i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(row + c))) : same;
      const cell = tile + (c << 2);
      v128.store(cell, v128.bitselect(hidden, v128.load(cell), i32x4.eq(bytes, zero)));
    }
    tile += ld;
    row += <usize>p.allowRow;
  }
}
