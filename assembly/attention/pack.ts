// Operands in the order in which `tile` reads them. Of X [rows, cols], `row` floats from one row to the next:
//   panels of n (6 or 8)   [⌈rows/n⌉][cols][n]     n rows side by side, for products that sum over columns
//   strips                 [⌈cols/8⌉][rows][8]     8 columns side by side, for products that sum over rows
// What is missing at the edges is 0. Of a row that holds NaN or ±∞ strips hold zeros, because the tile would multiply
// it by the 0 of a hidden weight; those that a query does see are added one by one.
import { packA, packB } from "../gemm";
import { max4, sum4 } from "../math";
import { at, fma } from "../simd";

/** Columns in whole tiles of 8. */
// @ts-ignore: decorator
@inline export function wide(n: i32): i32 {
  return (n + 7) & ~7;
}

/** X in panels of 6 rows. */
export function panels6(x: usize, row: i32, rows: i32, cols: i32, to: usize): void {
  packA(x, row, 1, to, 0, rows, 0, cols);
}

/** X in panels of 8 rows, every element times `factor`. */
export function panels8(x: usize, row: i32, rows: i32, cols: i32, to: usize, factor: f32): void {
  packB(x, 1, row, to, rows, 0, cols);
  if (factor != 1) scale(to, ((rows + 7) & ~7) * cols, factor);
}

/** Multiplies n floats. */
export function scale(x: usize, n: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(at(x, i), f32x4.mul(v128.load(at(x, i)), f));
  for (; i < n; i++) f32.store(at(x, i), f32.load(at(x, i)) * factor);
}

/** What is special about a row, one byte each. */
// @ts-ignore: decorator
@inline export const NON_FINITE: u8 = 1;
// @ts-ignore: decorator
@inline export const LARGE: u8 = 2;

/**
 * X in strips. `flags`, one byte a row, are NON_FINITE for rows that are not finite; returns how many there are.
 * `largest` is maxAbs of X, so that finite arrays need no second look.
 */
export function strips(x: usize, row: i32, rows: i32, cols: i32, to: usize, flags: usize, largest: f32): i32 {
  packB(x, row, 1, to, cols, 0, rows);
  memory.fill(flags, 0, rows);
  if (largest < Infinity) return 0;
  const count = flagRows(x, row, rows, cols, flags, Infinity, NON_FINITE);
  for (let r = 0; r < rows; r++) {
    if (!load<u8>(flags + <usize>r)) continue;
    for (let c = 0; c < cols; c += 8) memory.fill(at(to, c * rows + r * 8), 0, 32);
  }
  return count;
}

/** Flags the rows that have no flag yet and are not within ±`limit`, exclusively; returns how many. */
export function flagRows(x: usize, row: i32, rows: i32, cols: i32, flags: usize, limit: f32, flag: u8): i32 {
  let count = 0;
  for (let r = 0; r < rows; r++) {
    if (load<u8>(flags + <usize>r) || maxAbs(at(x, r * row), cols) < limit) continue;
    store<u8>(flags + <usize>r, flag);
    count++;
  }
  return count;
}

/** The largest |x|; NaN if there is one. As integers, whose order is that of magnitudes: NaN is above ∞. */
export function maxAbs(x: usize, n: i32): f32 {
  const size = i32x4.splat(0x7fffffff);
  let m0 = i32x4.splat(0), m1 = m0, m2 = m0, m3 = m0, i = 0;
  for (; i + 16 <= n; i += 16) {
    const a = at(x, i);
    m0 = i32x4.max_s(m0, v128.and(v128.load(a), size)); m1 = i32x4.max_s(m1, v128.and(v128.load(a, 16), size));
    m2 = i32x4.max_s(m2, v128.and(v128.load(a, 32), size)); m3 = i32x4.max_s(m3, v128.and(v128.load(a, 48), size));
  }
  m0 = i32x4.max_s(i32x4.max_s(m0, m1), i32x4.max_s(m2, m3));
  let most = max(
    max(i32x4.extract_lane(m0, 0), i32x4.extract_lane(m0, 1)), max(i32x4.extract_lane(m0, 2), i32x4.extract_lane(m0, 3)),
  );
  for (; i < n; i++) most = max(most, i32.load(at(x, i)) & 0x7fffffff);
  return reinterpret<f32>(most);
}

/** maxAbs over all rows. */
export function maxAbsRows(x: usize, row: i32, rows: i32, cols: i32): f32 {
  if (row == cols) return maxAbs(x, rows * cols);
  let most: f32 = 0;
  for (let r = 0; r < rows; r++) most = max(most, maxAbs(at(x, r * row), cols));
  return most;
}

/** The length of the longest row of X; NaN or ∞ if one is not finite. */
export function longestRow(x: usize, row: i32, rows: i32, cols: i32): f32 {
  const step = <usize>row << 2;
  let most = f32x4.splat(0), rest: f32 = 0, r = 0;
  // Four rows at a time: their sums do not wait for one another, and are added across lanes together.
  for (; r + 4 <= rows; r += 4) {
    const x0 = at(x, r * row), x1 = x0 + step, x2 = x1 + step, x3 = x2 + step;
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, c = 0;
    for (; c + 4 <= cols; c += 4) {
      const a0 = v128.load(at(x0, c)), a1 = v128.load(at(x1, c)), a2 = v128.load(at(x2, c)), a3 = v128.load(at(x3, c));
      s0 = fma(a0, a0, s0); s1 = fma(a1, a1, s1); s2 = fma(a2, a2, s2); s3 = fma(a3, a3, s3);
    }
    const t0 = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 4, 1, 5), v128.shuffle<f32>(s0, s1, 2, 6, 3, 7));
    const t1 = f32x4.add(v128.shuffle<f32>(s2, s3, 0, 4, 1, 5), v128.shuffle<f32>(s2, s3, 2, 6, 3, 7));
    let sum = f32x4.add(v128.shuffle<f32>(t0, t1, 0, 1, 4, 5), v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
    for (; c < cols; c++) {
      const a = f32x4(f32.load(at(x0, c)), f32.load(at(x1, c)), f32.load(at(x2, c)), f32.load(at(x3, c)));
      sum = fma(a, a, sum);
    }
    most = f32x4.max(most, sum);
  }
  for (; r < rows; r++) {
    const a = at(x, r * row);
    let s = f32x4.splat(0), c = 0;
    for (; c + 4 <= cols; c += 4) s = fma(v128.load(at(a, c)), v128.load(at(a, c)), s);
    let sum = sum4(s);
    for (; c < cols; c++) sum += f32.load(at(a, c)) * f32.load(at(a, c));
    rest = max(rest, sum);
  }
  return sqrt(max(max4(most), rest));
}
