// Truth values: one byte, 1 for everything that is not zero (NaN too).
import { at } from "./simd";

export function floatToBool(x: usize, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<u8>(out + i, f32.load(at(x, i)) != 0 ? 1 : 0);
}

export function intToBool(x: usize, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<u8>(out + i, i32.load(at(x, i)) != 0 ? 1 : 0);
}
