// The weights that dropout drops: philox([⌊j/4⌋, i, h, b], seed) as src/core/program-rows.ts has it, for four queries
// side by side. The four words of a block are four neighbouring keys.
import { philox, word } from "../philox";
import { Problem } from "./problem";

/**
 * All ones where the weight stays, for queries i … i+3 (the lanes) and keys j … j+3; `j` a multiple of 4. Written to
 * `out`, 64 bytes, key by key.
 */
export function keptMask(p: Problem, i: i32, j: i32, out: usize): void {
  const queries = i32x4.add(i32x4.splat(i), i32x4(0, 1, 2, 3)), threshold = i32x4.splat(p.threshold);
  philox(i32x4.splat(j >> 2), queries, i32x4.splat(p.h), i32x4.splat(p.b), p.seedLow, p.seedHigh);
  v128.store(out, i32x4.ge_u(word(0), threshold));
  v128.store(out, i32x4.ge_u(word(1), threshold), 16);
  v128.store(out, i32x4.ge_u(word(2), threshold), 32);
  v128.store(out, i32x4.ge_u(word(3), threshold), 48);
}
