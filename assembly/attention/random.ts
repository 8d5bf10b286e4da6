// The weights that dropout drops: philox([⌊j/4⌋, i, h, b], seed) as src/core/program-rows.ts has it, for four queries
// side by side. The four words of a block are four neighbouring keys.
import { highWords } from "../dropout";
import { Problem } from "./problem";

/**
 * All ones where the weight stays, for queries i … i+3 (the lanes) and keys j … j+3; `j` a multiple of 4. Written to
 * `out`, 64 bytes, key by key.
 */
export function keptMask(p: Problem, i: i32, j: i32, out: usize): void {
  const multiplier0 = i32x4.splat(0xd2511f53), multiplier1 = i32x4.splat(0xcd9e8d57);
  let c0 = i32x4.splat(j >> 2), c1 = i32x4.add(i32x4.splat(i), i32x4(0, 1, 2, 3));
  let c2 = i32x4.splat(p.h), c3 = i32x4.splat(p.b), k0 = p.seedLow, k1 = p.seedHigh;
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
  const threshold = i32x4.splat(p.threshold);
  v128.store(out, i32x4.ge_u(c0, threshold));
  v128.store(out, i32x4.ge_u(c1, threshold), 16);
  v128.store(out, i32x4.ge_u(c2, threshold), 32);
  v128.store(out, i32x4.ge_u(c3, threshold), 48);
}
