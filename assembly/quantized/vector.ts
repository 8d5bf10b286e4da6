// A row of floats in 16 bits a number, for products with quantised weights: in blocks of 32 numbers q_i = round(x_i / s) with
// s the largest magnitude / 32767, so that every product and sum of a block is exact in int32 (8 products a lane of at most
// 128 · 32767). The error of a number is at most s/2, 1.5e-5 of the block's largest.
//
// Some rows have a few numbers a thousand times larger than the others (Sun et al. 2024, "Massive activations",
// arxiv.org/abs/2402.17762), and with them blocks whose other numbers that error would drown. Of blocks whose s is much larger
// than usual in the row, what the rounding left is a second block.
//
//     quants    n int16; of each 16 numbers those of even places, then those of odd ones, as they lie in the bytes of weights
//     pairs     n/32 times (s, s · Σ q), the second for weights that have an offset
//     count     of the blocks that have a second one
//     seconds   of each: 32 quants, their pair, the number of the block
//
// A row with a number that is not finite has a block whose s is not: its products are NaN.
import { at } from "../simd";

/** Bytes of a second block. */
export const SECOND: i32 = 80;
// Bytes of the numbers of which a second block is made; they stand behind it.
// @ts-ignore: decorator
@inline const REST: i32 = 128;
// How much larger than usual.
// @ts-ignore: decorator
@inline const MUCH: f32 = 2;

/** Bytes of the row of n numbers, n a multiple of 32. */
export function vectorBytes(n: i32): i32 {
  return 2 * n + (n >> 5) * (8 + SECOND) + 16 + REST;
}

/** Where the pairs of a row of n numbers stand. */
// @ts-ignore: decorator
@inline export function pairsOf(vector: usize, n: i32): usize {
  return vector + ((<usize>n) << 1);
}

/** Where the count of a row of n numbers stands; the seconds follow 16 bytes later. */
// @ts-ignore: decorator
@inline export function countOf(vector: usize, n: i32): usize {
  return pairsOf(vector, n) + ((<usize>(n >> 5)) << 3);
}

/** n floats, a multiple of 32, as such a row; the pairs times `unit`. */
export function quantizeVector(x: usize, vector: usize, n: i32, unit: f32): void {
  const blocks = n >> 5, pairs = pairsOf(vector, n), count = countOf(vector, n);
  let sum: f32 = 0;
  for (let b = 0; b < blocks; b++) {
    quantizeBlock(at(x, b << 5), vector + ((<usize>b) << 6), pairs + ((<usize>b) << 3), unit);
    sum += f32.load(pairs + ((<usize>b) << 3));
  }
  const limit = MUCH * usual(pairs, blocks, 2 * sum / <f32>blocks);
  let seconds = 0;
  for (let b = 0; b < blocks; b++) {
    const pair = pairs + ((<usize>b) << 3);
    if (!(f32.load(pair) > limit)) continue;
    const second = count + 16 + <usize>(seconds * SECOND), left = second + SECOND;
    rest(at(x, b << 5), vector + ((<usize>b) << 6), f32.load(pair) / unit, left);
    quantizeBlock(left, second, second + 64, unit);
    i32.store(second, b, 72);
    seconds++;
  }
  i32.store(count, seconds);
}

// The mean of the scales that are at most so large.
// @ts-ignore: decorator
@inline function usual(pairs: usize, blocks: i32, most: f32): f32 {
  let sum: f32 = 0, found: f32 = 0;
  for (let b = 0; b < blocks; b++) {
    const scale = f32.load(pairs + ((<usize>b) << 3));
    if (scale > most) continue;
    sum += scale;
    found += 1;
  }
  return sum / found;
}

// x − s·q of a block.
function rest(x: usize, quants: usize, scale: f32, out: usize): void {
  for (let k = 0; k < 32; k += 16) {
    for (let i = 0; i < 16; i++) {
      const q = load<i16>(quants + ((<usize>(k + (i >> 1) + 8 * (i & 1))) << 1));
      f32.store(at(out, k + i), f32.load(at(x, k + i)) - scale * <f32>q);
    }
  }
}

// @ts-ignore: decorator
@inline function inUnits(x: usize, offset: i32, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x + offset), inverse)));
}

function quantizeBlock(x: usize, to: usize, pair: usize, unit: f32): void {
  let most = f32x4.abs(v128.load(x));
  for (let k = 16; k < 128; k += 16) most = f32x4.max(most, f32x4.abs(v128.load(x + k)));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  const largest = f32x4.extract_lane(f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2)), 0);
  const inverse = f32x4.splat(largest == 0 ? 0 : <f32>32767 / largest), ones = i16x8.splat(1);
  let quants = to, sum = i32x4.splat(0);
  for (let k = 0; k < 128; k += 64) {
    const a = inUnits(x, k, inverse), b = inUnits(x, k + 16, inverse);
    const c = inUnits(x, k + 32, inverse), d = inUnits(x, k + 48, inverse);
    const even = i16x8.narrow_i32x4_s(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(c, d, 0, 2, 4, 6));
    const odd = i16x8.narrow_i32x4_s(v128.shuffle<i32>(a, b, 1, 3, 5, 7), v128.shuffle<i32>(c, d, 1, 3, 5, 7));
    v128.store(quants, even);
    v128.store(quants, odd, 16);
    sum = i32x4.add(sum, i32x4.add(i32x4.dot_i16x8_s(even, ones), i32x4.dot_i16x8_s(odd, ones)));
    quants += 32;
  }
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  const total = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  const scale = largest / 32767 * unit;
  f32.store(pair, scale);
  f32.store(pair, scale * <f32>total, 4);
}
