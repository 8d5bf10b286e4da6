// out[i] = condition[i] ? a[i] : b[i]. The condition has one byte per element.
import { at } from "./simd";

/** Elements of four bytes. */
export function select32(condition: usize, a: usize, b: usize, out: usize, n: i32): void {
  const zero = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const bytes = v128.load32_zero(condition + i);
    const mask = i32x4.ne(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)), zero);
    v128.store(at(out, i), v128.bitselect(v128.load(at(a, i)), v128.load(at(b, i)), mask));
  }
  for (; i < n; i++) store<u32>(at(out, i), load<u32>(load<u8>(condition + i) ? at(a, i) : at(b, i)));
}

/** Elements of one byte. */
export function select8(condition: usize, a: usize, b: usize, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<u8>(out + i, load<u8>(load<u8>(condition + i) ? a + i : b + i));
}
