// Inverted dropout. Element i takes number i of the stream, so a mask is a function of its seed alone and the backward
// pass makes it again instead of keeping it.
import { load, store } from "./lanes";
import { numbers, philoxStream } from "./philox";
import { at } from "./simd";

// out = kept ? x · scale : 0, for four elements.
// @ts-ignore: decorator
@inline function drop(x: usize, out: usize, bits: v128, least: v128, scale: v128, i: i32, n: i32): void {
  const lanes = min(4, n - i);
  if (lanes <= 0) return;
  const kept = i32x4.ge_s(i32x4.shr_u(bits, 8), least);
  store(at(out, i), v128.and(f32x4.mul(load(at(x, i), lanes), scale), kept), lanes);
}

/** An element stays where the 24 highest bits of its number are at least `least`; it is then multiplied by `scale`. */
export function dropout(
  x: usize, out: usize, n: i32, least: i32, scale: f32, seedLow: i32, seedHigh: i32, streamLow: i32, streamHigh: i32,
): void {
  const least4 = i32x4.splat(least), scale4 = f32x4.splat(scale);
  for (let i = 0; i < n; i += 16) {
    philoxStream(i, streamLow, streamHigh, seedLow, seedHigh);
    drop(x, out, numbers(0), least4, scale4, i, n);
    drop(x, out, numbers(1), least4, scale4, i + 4, n);
    drop(x, out, numbers(2), least4, scale4, i + 8, n);
    drop(x, out, numbers(3), least4, scale4, i + 12, n);
  }
}
