// The largest of float32 over a row.
import { max4 } from "./math";
import { at } from "./simd";

/** The largest of n floats; −Infinity for none, NaN where one is. */
export function maxRow(x: usize, n: i32): f32 {
  let m0 = f32x4.splat(-Infinity), m1 = m0, j = 0;
  for (; j + 8 <= n; j += 8) {
    m0 = f32x4.max(m0, v128.load(at(x, j)));
    m1 = f32x4.max(m1, v128.load(at(x, j), 16));
  }
  let m = max4(f32x4.max(m0, m1));
  for (; j < n; j++) m = max(m, f32.load(at(x, j)));
  return m;
}
