// Inverted dropout. Element i takes number i of the stream, so a mask is a function of its seed alone. What stays is
// also written as one bit an element, since drawing the numbers again costs nine times as much as reading them.
import { load, store } from "./lanes";
import { numbers, philoxStream } from "./philox";
import { at } from "./simd";

// out = kept ? x · scale : 0, for four elements; answers their bits.
// @ts-ignore: decorator
@inline function drop(x: usize, out: usize, bits: v128, least: v128, scale: v128, i: i32, n: i32): i32 {
  const lanes = min(4, n - i);
  if (lanes <= 0) return 0;
  const kept = i32x4.ge_s(i32x4.shr_u(bits, 8), least);
  store(at(out, i), v128.and(f32x4.mul(load(at(x, i), lanes), scale), kept), lanes);
  return i32x4.bitmask(kept);
}

/**
 * An element stays where the 24 highest bits of its number are at least `least`; it is then multiplied by `scale`.
 * Bit i of `kept`, whole words of 32, says whether element i stays.
 */
export function dropout(
  x: usize, out: usize, kept: usize, n: i32, least: i32, scale: f32,
  seedLow: i32, seedHigh: i32, streamLow: i32, streamHigh: i32,
): void {
  const least4 = i32x4.splat(least), scale4 = f32x4.splat(scale);
  for (let i = 0; i < n; i += 16) {
    philoxStream(i, streamLow, streamHigh, seedLow, seedHigh);
    let stay = drop(x, out, numbers(0), least4, scale4, i, n);
    stay |= drop(x, out, numbers(1), least4, scale4, i + 4, n) << 4;
    stay |= drop(x, out, numbers(2), least4, scale4, i + 8, n) << 8;
    stay |= drop(x, out, numbers(3), least4, scale4, i + 12, n) << 12;
    if (i & 16) i32.store16(kept + (i >> 3), stay);
    else i32.store(kept + (i >> 3), stay);
  }
}

/** dx = kept ? dy · scale : 0. */
export function dropoutGrad(dy: usize, kept: usize, dx: usize, n: i32, scale: f32): void {
  const scale4 = f32x4.splat(scale);
  let i = 0;
  for (; i + 32 <= n; i += 32) {
    let bits = i32.load(kept + (i >> 3));
    for (let j = i; j < i + 32; j += 4) {
      keepLanes(at(dy, j), at(dx, j), bits, scale4, 4);
      bits >>>= 4;
    }
  }
  if (i == n) return;
  let bits = i32.load(kept + (i >> 3));
  for (; i < n; i += 4) {
    keepLanes(at(dy, i), at(dx, i), bits, scale4, min(4, n - i));
    bits >>>= 4;
  }
}

// @ts-ignore: decorator
@inline function keepLanes(dy: usize, dx: usize, bits: i32, scale: v128, lanes: i32): void {
  const places = i32x4(1, 2, 4, 8), stays = i32x4.eq(v128.and(i32x4.splat(bits), places), places);
  store(dx, v128.and(f32x4.mul(load(dy, lanes), scale), stays), lanes);
}
