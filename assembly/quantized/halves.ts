// out[r] = Σ_i w[r, i] · x[i] for rows of 16-bit floats, which lie one after another. Of eight weights in a load the even ones
// are the low halves of four words, the odd ones the high: x is spread in that order once.
//
// Ladder (ms of CPU time for 134 MB from memory in rows of 576, relaxed build; the engine adds them up in 5.4):
//                                                            bfloat16   float16
//     four rows at once, which share the loads of x              15.1      16.1     four streams in a page: nothing is fetched ahead
//     a row after the other, four sums of it                      7.4       8.3
import { at, fma } from "../simd";
import { SHORT_MASK } from "./forms";

// Of float16 a word gives 2⁻¹¹² times the weight. x takes most of it, so that no product is subnormal, and no x below 2²⁷ infinite.
// @ts-ignore: decorator
@inline const OF_X: i32 = (127 + 100) << 23;
// @ts-ignore: decorator
@inline const OF_SUM: f32 = 4096;

/** n floats, a multiple of 8: of each eight those of even places, then those of odd ones. */
// @ts-ignore: decorator
@inline function spreadBy(x: usize, out: usize, n: i32, unit: v128): void {
  for (let i = 0; i < n; i += 8) {
    const a = f32x4.mul(v128.load(at(x, i)), unit), b = f32x4.mul(v128.load(at(x, i), 16), unit);
    v128.store(at(out, i), v128.shuffle<f32>(a, b, 0, 2, 4, 6));
    v128.store(at(out, i), v128.shuffle<f32>(a, b, 1, 3, 5, 7), 16);
  }
}

export function spreadFloat16(x: usize, out: usize, n: i32): void {
  spreadBy(x, out, n, i32x4.splat(OF_X));
}

export function spreadBfloat16(x: usize, out: usize, n: i32): void {
  spreadBy(x, out, n, f32x4.splat(1));
}

// sum + eight products.
// @ts-ignore: decorator
@inline function eight(isBrain: bool, address: usize, mask: v128, even: v128, odd: v128, sum: v128): v128 {
  const words = v128.load(address);
  if (isBrain) return fma(v128.and(words, mask), odd, fma(i32x4.shl(words, 16), even, sum));
  const high = v128.and(i32x4.shr_s(words, 3), mask), low = v128.and(i32x4.shr_s(i32x4.shl(words, 16), 3), mask);
  return fma(high, odd, fma(low, even, sum));
}

// @ts-ignore: decorator
@inline function rows(isBrain: bool, weights: usize, x: usize, out: usize, count: i32, n: i32): void {
  // Engines make a constant anew in every turn of a loop, but keep what they cannot know: this is no other one.
  const mask = i32x4.splat((isBrain ? <i32>0xffff0000 : SHORT_MASK) + (n >> 31));
  const stride = (<usize>n) << 1;
  const many = n & -32, unit: f32 = isBrain ? 1 : OF_SUM;
  for (let r = 0; r < count; r++) {
    let w = weights + <usize>r * stride, from = x;
    let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (let i = 0; i < many; i += 32) {
      sum0 = eight(isBrain, w, mask, v128.load(from), v128.load(from, 16), sum0);
      sum1 = eight(isBrain, w + 16, mask, v128.load(from, 32), v128.load(from, 48), sum1);
      sum2 = eight(isBrain, w + 32, mask, v128.load(from, 64), v128.load(from, 80), sum2);
      sum3 = eight(isBrain, w + 48, mask, v128.load(from, 96), v128.load(from, 112), sum3);
      w += 64; from += 128;
    }
    for (let i = many; i < n; i += 8) {
      sum0 = eight(isBrain, w, mask, v128.load(from), v128.load(from, 16), sum0);
      w += 16; from += 32;
    }
    f32.store(at(out, r), unit * across(f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3))));
  }
}

// @ts-ignore: decorator
@inline function across(x: v128): f32 {
  const two = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1);
}

export function rowsFloat16(weights: usize, x: usize, out: usize, count: i32, n: i32): void {
  rows(false, weights, x, out, count, n);
}

export function rowsBfloat16(weights: usize, x: usize, out: usize, count: i32, n: i32): void {
  rows(true, weights, x, out, count, n);
}
