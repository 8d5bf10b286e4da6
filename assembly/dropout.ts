// Inverted dropout by Philox4x32-10 (Salmon et al. 2011): the same numbers as src/core/random.ts, four blocks of the
// counter side by side. Element i takes word i mod 4 of block ⌊i/4⌋, so a mask is a function of its seed alone and
// the backward pass makes it again instead of keeping it.
import { load, store } from "./lanes";
import { at } from "./simd";

// @ts-ignore: decorator
@inline export function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

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
  const multiplier0 = i32x4.splat(0xd2511f53), multiplier1 = i32x4.splat(0xcd9e8d57);
  const least4 = i32x4.splat(least), scale4 = f32x4.splat(scale);
  for (let i = 0; i < n; i += 16) {
    let c0 = i32x4.add(i32x4.splat(i >> 2), i32x4(0, 1, 2, 3)), c1 = i32x4.splat(0);
    let c2 = i32x4.splat(streamLow), c3 = i32x4.splat(streamHigh), k0 = seedLow, k1 = seedHigh;
    for (let round = 0; round < 10; round++) {
      const high0 = highWords(c0, multiplier0), high1 = highWords(c2, multiplier1);
      const low0 = i32x4.mul(c0, multiplier0), low1 = i32x4.mul(c2, multiplier1);
      c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(k0));
      c1 = low1;
      c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(k1));
      c3 = low0;
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    // Lane b of c0 … c3 is block b; its four words are neighbours in the tensor.
    const t0 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
    const t2 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
    drop(x, out, v128.shuffle<i32>(t0, t1, 0, 1, 4, 5), least4, scale4, i, n);
    drop(x, out, v128.shuffle<i32>(t0, t1, 2, 3, 6, 7), least4, scale4, i + 4, n);
    drop(x, out, v128.shuffle<i32>(t2, t3, 0, 1, 4, 5), least4, scale4, i + 8, n);
    drop(x, out, v128.shuffle<i32>(t2, t3, 2, 3, 6, 7), least4, scale4, i + 12, n);
  }
}
