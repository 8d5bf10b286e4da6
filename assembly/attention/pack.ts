// Operands in the order in which `tile` reads them. Of X [rows, cols], `row` floats from one row to the next:
//   panels of n (6 or 8)   [⌈rows/n⌉][cols][n]     n rows side by side, for products that sum over columns
//   strips                 [⌈cols/8⌉][rows][8]     8 columns side by side, for products that sum over rows
// What is missing at the edges is 0. A row that holds NaN or ±∞ is `wild`: strips hold zeros in its place, because
// the tile would multiply it by the 0 of a hidden weight; the few visible ones are added one by one.
import { packA, packB } from "../gemm";
import { max4, sum4 } from "../math";
import { at } from "../simd";

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

/**
 * X in strips. `wild`, one byte a row, is set for rows that are not finite; returns how many there are. `largest` is
 * maxAbs of X, so that finite arrays need no second look.
 */
export function strips(x: usize, row: i32, rows: i32, cols: i32, to: usize, wild: usize, largest: f32): i32 {
  packB(x, row, 1, to, cols, 0, rows);
  if (largest < Infinity) {
    memory.fill(wild, 0, rows);
    return 0;
  }
  const count = findWild(x, row, rows, cols, wild);
  if (count) {
    for (let r = 0; r < rows; r++) {
      if (!load<u8>(wild + <usize>r)) continue;
      for (let c = 0; c < cols; c += 8) memory.fill(at(to, c * rows + r * 8), 0, 32);
    }
  }
  return count;
}

function findWild(x: usize, row: i32, rows: i32, cols: i32, wild: usize): i32 {
  let count = 0;
  for (let r = 0; r < rows; r++) {
    const isWild = !(maxAbs(at(x, r * row), cols) < Infinity);
    store<u8>(wild + <usize>r, isWild ? 1 : 0);
    if (isWild) count++;
  }
  return count;
}

/** The largest |x|; NaN if there is one. */
export function maxAbs(x: usize, n: i32): f32 {
  let m0 = f32x4.splat(0), m1 = m0, m2 = m0, m3 = m0, i = 0;
  for (; i + 16 <= n; i += 16) {
    const a = at(x, i);
    m0 = f32x4.max(m0, f32x4.abs(v128.load(a))); m1 = f32x4.max(m1, f32x4.abs(v128.load(a, 16)));
    m2 = f32x4.max(m2, f32x4.abs(v128.load(a, 32))); m3 = f32x4.max(m3, f32x4.abs(v128.load(a, 48)));
  }
  let most = max4(f32x4.max(f32x4.max(m0, m1), f32x4.max(m2, m3)));
  for (; i < n; i++) most = max(most, abs(f32.load(at(x, i))));
  return most;
}

/** maxAbs over all rows. */
export function maxAbsRows(x: usize, row: i32, rows: i32, cols: i32): f32 {
  if (row == cols) return maxAbs(x, rows * cols);
  let most: f32 = 0;
  for (let r = 0; r < rows; r++) most = max(most, maxAbs(at(x, r * row), cols));
  return most;
}

/** The length of the longest row of X; NaN if one holds NaN. */
export function longestRow(x: usize, row: i32, rows: i32, cols: i32): f32 {
  let most: f32 = 0;
  for (let r = 0; r < rows; r++) {
    let s = f32x4.splat(0), c = 0;
    for (; c + 4 <= cols; c += 4) {
      const a = v128.load(at(x, c));
      s = f32x4.add(s, f32x4.mul(a, a));
    }
    let sum = sum4(s);
    for (; c < cols; c++) sum += f32.load(at(x, c)) * f32.load(at(x, c));
    most = max(most, sum);
    x = at(x, row);
  }
  return sqrt(most);
}
