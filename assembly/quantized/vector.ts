// A row of floats in 16 bits a number, for products with quantised weights: in blocks of 32 numbers q_i = round(x_i / s) with
// s the largest magnitude / 32639, so that every product and sum of a block is exact in int32 (32 products of at most
// 128 · 32639). The error of a number is at most s/2, 1.5e-5 of the block's largest.
//
// Some rows have a few numbers a thousand times larger than the others (Sun et al. 2024, "Massive activations",
// arxiv.org/abs/2402.17762), and with them blocks whose other numbers that error would drown. Of blocks whose s is much larger
// than usual in the row, what the rounding left is a second block.
//
//     constants   four vectors that the products need: engines make what is written in code anew in every turn of a loop, but
//                 keep what was loaded
//     count       of all blocks, second ones among them
//     blocks      32 quants, their pair (s, s · Σ q), the second for weights that have an offset, a word and a flag
//
// A second block follows the first, whose word is 0 then and else has all bits: by it a product goes on to the next weights.
// The flag of a block is 1 where its numbers are so small beside the others that the high bytes say enough: where these are
// multiplied alone, their error of 128 · s is below the s/2 of larger blocks. Most second blocks are such.
//
// For weights of 8 bits quants are int16, of each 16 numbers those of even places, then those of odd ones. For weights of 4 bits
// (`spread`) four numbers of the first half of a block and four of the second stand in 16 bytes, which the products load word by
// word, each into all lanes. Where there are products of bytes the words are the high bytes of the first half and of the second,
// then their low ones; else (0, 2), (1, 3) of the first half, then of the second, as int16.
//
// A row with a number that is not finite has a block whose s is not: its products are NaN.
import { at } from "../simd";
import { SHORT_MASK } from "./forms";

// Where the parts stand.
// @ts-ignore: decorator
@inline const COUNT: usize = 64;
/** Where the blocks begin. */
// @ts-ignore: decorator
@inline export const BLOCKS: usize = 80;
/** Bytes of a block: quants, the pair, the word, the flag. */
// @ts-ignore: decorator
@inline export const SIZE: usize = 80;
/** Where the pair of a block stands. */
// @ts-ignore: decorator
@inline export const PAIR: usize = 64;
/** Where the word of a block stands. */
// @ts-ignore: decorator
@inline export const WORD: usize = 72;
/** Where the flag of a block stands. */
// @ts-ignore: decorator
@inline export const FLAG: usize = 76;
// Bytes of the numbers of which a second block is made; they stand behind it.
// @ts-ignore: decorator
@inline const REST: i32 = 128;
// The largest quant, 127 · 256 + 127: its high byte and its low byte are signed.
// @ts-ignore: decorator
@inline const MOST: f32 = 32639;
// What a high byte counts.
// @ts-ignore: decorator
@inline const OF_HIGH: f32 = 256;
// How much larger than usual.
// @ts-ignore: decorator
@inline const MUCH: f32 = 1.5;
// @ts-ignore: decorator
@inline const MUCH_PLAIN: f32 = 2;

/** Bytes of the row of n numbers, n a multiple of 32. */
export function vectorBytes(n: i32): i32 {
  return <i32>BLOCKS + (n >> 5) * <i32>(2 * SIZE + 4) + REST;
}

/** How many blocks there are, second ones among them. */
// @ts-ignore: decorator
@inline export function countOf(vector: usize): usize {
  return <usize>i32.load(vector, COUNT);
}

function writeConstants(vector: usize): void {
  v128.store(vector, i32x4.splat(ASC_FEATURE_RELAXED_SIMD ? 0x0f0f0f0f : 0x000f000f));
  v128.store(vector, i32x4.splat(SHORT_MASK), 16);
  v128.store(vector, i16x8.splat(1), 32);
  v128.store(vector, i16x8.splat(256), 48);
}

/** n floats, a multiple of 32, as such a row; the pairs times `unit`. */
export function quantizeVector(x: usize, vector: usize, n: i32, unit: f32, spread: bool): void {
  const blocks = n >> 5, scales = vector + BLOCKS + <usize>blocks * 2 * SIZE, left = at(scales, blocks);
  writeConstants(vector);
  for (let b = 0; b < blocks; b++) f32.store(at(scales, b), largestOf(at(x, b << 5)) / MOST);
  const limit = (spread ? MUCH : MUCH_PLAIN) * usual(scales, blocks);
  let to = vector + BLOCKS, count = 0;
  for (let b = 0; b < blocks; b++) {
    const x_b = at(x, b << 5), scale = f32.load(at(scales, b)), isTwice = scale > limit;
    quantizeBlock(x_b, to, scale, unit, spread);
    i32.store(to + FLAG, <i32>(scale * OF_HIGH <= limit));
    if (isTwice) rest(x_b, scale, left);
    i32.store(to + WORD, isTwice ? 0 : -1);
    to += SIZE;
    count++;
    if (!isTwice) continue;
    const second = largestOf(left) / MOST;
    quantizeBlock(left, to, second, unit, spread);
    i32.store(to + FLAG, <i32>(second * OF_HIGH <= limit));
    i32.store(to + WORD, -1);
    to += SIZE;
    count++;
  }
  i32.store(vector, count, COUNT);
}

// The mean of the scales that are at most twice the mean of all.
// @ts-ignore: decorator
@inline function usual(scales: usize, blocks: i32): f32 {
  let all: f32 = 0, sum: f32 = 0, found: f32 = 0;
  for (let b = 0; b < blocks; b++) all += f32.load(at(scales, b));
  const most = all * 2 / <f32>blocks;
  for (let b = 0; b < blocks; b++) {
    const scale = f32.load(at(scales, b));
    if (scale > most) continue;
    sum += scale;
    found += 1;
  }
  return sum / found;
}

// The largest magnitude of 32 numbers.
function largestOf(x: usize): f32 {
  let most = f32x4.abs(v128.load(x));
  for (let k = 16; k < 128; k += 16) most = f32x4.max(most, f32x4.abs(v128.load(x + k)));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2)), 0);
}

// @ts-ignore: decorator
@inline function inverseOf(scale: f32): v128 {
  return f32x4.splat(scale == 0 ? 0 : 1 / scale);
}

// @ts-ignore: decorator
@inline function inUnits(x: usize, offset: usize, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x + offset), inverse)));
}

// x − s·q of a block.
function rest(x: usize, scale: f32, out: usize): void {
  const inverse = inverseOf(scale), s = f32x4.splat(scale);
  for (let k: usize = 0; k < 128; k += 16) {
    const quants = f32x4.convert_i32x4_s(inUnits(x, k, inverse));
    v128.store(out + k, f32x4.sub(v128.load(x + k), f32x4.mul(s, quants)));
  }
}

// Four vectors, a word of each beside those of the others.
// @ts-ignore: decorator
@inline function storeWords(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5), CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(AB, CD, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(AB, CD, 1, 3), 48);
}

// @ts-ignore: decorator
@inline function highBytes(x: v128, y: v128): v128 {
  const up = i16x8.splat(128);
  return v128.shuffle<i8>(i16x8.add(x, up), i16x8.add(y, up), 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

// @ts-ignore: decorator
@inline function lowBytes(x: v128, y: v128): v128 {
  return v128.shuffle<i8>(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

// @ts-ignore: decorator
@inline function evenPlaces(x: v128, y: v128): v128 {
  return v128.shuffle<i16>(x, y, 0, 2, 4, 6, 8, 10, 12, 14);
}

// @ts-ignore: decorator
@inline function oddPlaces(x: v128, y: v128): v128 {
  return v128.shuffle<i16>(x, y, 1, 3, 5, 7, 9, 11, 13, 15);
}

function quantizeBlock(x: usize, to: usize, s: f32, unit: f32, spread: bool): void {
  const inverse = inverseOf(s), ones = i16x8.splat(1);
  const a = i16x8.narrow_i32x4_s(inUnits(x, 0, inverse), inUnits(x, 16, inverse));
  const b = i16x8.narrow_i32x4_s(inUnits(x, 32, inverse), inUnits(x, 48, inverse));
  const c = i16x8.narrow_i32x4_s(inUnits(x, 64, inverse), inUnits(x, 80, inverse));
  const d = i16x8.narrow_i32x4_s(inUnits(x, 96, inverse), inUnits(x, 112, inverse));
  if (!spread) {
    v128.store(to, evenPlaces(a, b));
    v128.store(to, oddPlaces(a, b), 16);
    v128.store(to, evenPlaces(c, d), 32);
    v128.store(to, oddPlaces(c, d), 48);
  } else if (ASC_FEATURE_RELAXED_SIMD) {
    storeWords(to, highBytes(a, b), highBytes(c, d), lowBytes(a, b), lowBytes(c, d));
  } else {
    storeWords(to, evenPlaces(a, b), oddPlaces(a, b), evenPlaces(c, d), oddPlaces(c, d));
  }
  let sum = i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(a, ones), i32x4.dot_i16x8_s(b, ones)),
    i32x4.add(i32x4.dot_i16x8_s(c, ones), i32x4.dot_i16x8_s(d, ones)),
  );
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  const total = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1), scale = s * unit;
  f32.store(to, scale, PAIR);
  f32.store(to, scale * <f32>total, PAIR + 4);
}
