// Sums of float32 over one axis.
import { sum4 } from "./math";
import { at } from "./simd";

/** The sum of n floats: sixteen running sums, so rounding grows with n / 16. */
// @ts-ignore: decorator
@inline export function sumRow(x: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    const p = at(x, i);
    s0 = f32x4.add(s0, v128.load(p));
    s1 = f32x4.add(s1, v128.load(p, 16));
    s2 = f32x4.add(s2, v128.load(p, 32));
    s3 = f32x4.add(s3, v128.load(p, 48));
  }
  for (; i + 4 <= n; i += 4) s0 = f32x4.add(s0, v128.load(at(x, i)));
  let sum = sum4(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; i < n; i++) sum += f32.load(at(x, i));
  return sum;
}

// out[c] += x[r, c] over `rows` rows (1 to 4), one pass over out.
// @ts-ignore: decorator
@inline function addRows(x: usize, out: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    const row = at(x, r * cols);
    let c = 0;
    for (; c + 4 <= cols; c += 4) v128.store(at(out, c), f32x4.add(v128.load(at(out, c)), v128.load(at(row, c))));
    for (; c < cols; c++) f32.store(at(out, c), f32.load(at(out, c)) + f32.load(at(row, c)));
  }
}

// The same for exactly four rows, added to one another first.
// @ts-ignore: decorator
@inline function addFourRows(x: usize, out: usize, cols: i32): void {
  const r1 = at(x, cols), r2 = at(x, 2 * cols), r3 = at(x, 3 * cols);
  let c = 0;
  for (; c + 4 <= cols; c += 4) {
    const top = f32x4.add(v128.load(at(x, c)), v128.load(at(r1, c)));
    const bottom = f32x4.add(v128.load(at(r2, c)), v128.load(at(r3, c)));
    v128.store(at(out, c), f32x4.add(v128.load(at(out, c)), f32x4.add(top, bottom)));
  }
  for (; c < cols; c++) {
    const sum = f32.load(at(x, c)) + f32.load(at(r1, c)) + (f32.load(at(r2, c)) + f32.load(at(r3, c)));
    f32.store(at(out, c), f32.load(at(out, c)) + sum);
  }
}

/** out[o, i] = scale · Σ_r x[o, r, i]. */
export function sumAxis(x: usize, out: usize, outer: i32, n: i32, inner: i32, scale: f32): void {
  if (inner == 1) {
    for (let o = 0; o < outer; o++) f32.store(at(out, o), sumRow(at(x, o * n), n) * scale);
    return;
  }
  memory.fill(out, 0, (<usize>(outer * inner)) << 2);
  for (let o = 0; o < outer; o++) {
    const to = at(out, o * inner);
    let r = 0;
    for (; r + 4 <= n; r += 4) { addFourRows(x, to, inner); x = at(x, 4 * inner); }
    if (r < n) { addRows(x, to, n - r, inner); x = at(x, (n - r) * inner); }
  }
  if (scale != 1) {
    for (let i = 0; i < outer * inner; i++) f32.store(at(out, i), f32.load(at(out, i)) * scale);
  }
}
