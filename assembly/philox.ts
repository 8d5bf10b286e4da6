// Philox4x32-10 (Salmon et al. 2011): the same numbers as src/core/random.ts, four blocks side by side.

// @ts-ignore: decorator
@inline function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

// The four words of the last blocks. Globals, because a function returns one value; each thread has its own.
let word0: v128 = i32x4(0, 0, 0, 0);
let word1: v128 = i32x4(0, 0, 0, 0);
let word2: v128 = i32x4(0, 0, 0, 0);
let word3: v128 = i32x4(0, 0, 0, 0);

/** The ten rounds of the counters (c0, c1, c2, c3), a block a lane, under one key; `word` reads the results. */
export function philox(c0: v128, c1: v128, c2: v128, c3: v128, k0: i32, k1: i32): void {
  const multiplier0 = i32x4.splat(0xd2511f53), multiplier1 = i32x4.splat(0xcd9e8d57);
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
  word0 = c0;
  word1 = c1;
  word2 = c2;
  word3 = c3;
}

/** Word n of the last call's blocks, a block a lane. */
// @ts-ignore: decorator
@inline export function word(n: i32): v128 {
  return n == 0 ? word0 : n == 1 ? word1 : n == 2 ? word2 : word3;
}

/** Numbers 4·part … 4·part + 3 of the 16 of the last call, in the order of the stream. */
// @ts-ignore: decorator
@inline export function numbers(part: i32): v128 {
  if (part < 2) {
    const t0 = v128.shuffle<i32>(word0, word1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(word2, word3, 0, 4, 1, 5);
    return part == 0 ? v128.shuffle<i32>(t0, t1, 0, 1, 4, 5) : v128.shuffle<i32>(t0, t1, 2, 3, 6, 7);
  }
  const t2 = v128.shuffle<i32>(word0, word1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(word2, word3, 2, 6, 3, 7);
  return part == 2 ? v128.shuffle<i32>(t2, t3, 0, 1, 4, 5) : v128.shuffle<i32>(t2, t3, 2, 3, 6, 7);
}

/** The 16 numbers of a stream from number 16·⌊i/16⌋ on, for `numbers`. */
// @ts-ignore: decorator
@inline export function philoxStream(i: i32, streamLow: i32, streamHigh: i32, seedLow: i32, seedHigh: i32): void {
  const block = i32x4.add(i32x4.splat(i >> 2), i32x4(0, 1, 2, 3));
  philox(block, i32x4.splat(0), i32x4.splat(streamLow), i32x4.splat(streamHigh), seedLow, seedHigh);
}
