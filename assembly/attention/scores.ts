// Scores by query rows, for the passes that start from the log-sum-exp: no maximum, no running sum.
import { at } from "../simd";
import { tile } from "../tile";

/** Queries and keys per block: multiples of 24, so that tiles of 6 and of 8 fit. */
// @ts-ignore: decorator
@inline export const BQ: i32 = 48;
// @ts-ignore: decorator
@inline export const BK: i32 = 96;
/** Bytes from one query's row to the next. */
// @ts-ignore: decorator
@inline export const LD: usize = <usize>BK << 2;

/** s[query][key] = a · b from panels of 6 queries and of 8 keys; nk is a multiple of 8, nq is rounded up to 6. */
export function products(queries: usize, keys: usize, s: usize, nq: i32, nk: i32, width: i32): void {
  for (let c = 0; c < nk; c += 8) {
    for (let r = 0; r < nq; r += 6) {
      tile(at(queries, r * width), 24, at(keys, c * width), 32, s + <usize>r * LD + (<usize>c << 2), LD, width, false);
    }
  }
}

/**
 * The keys of block j0: whole tiles of 8, so up to 7 of them lie beyond S and must be hidden. Sums over queries come in
 * tiles of 6 keys, up to 5 more, whose results nobody reads.
 */
// @ts-ignore: decorator
@inline export function blockKeys(S: i32, j0: i32): i32 {
  return min(BK, (S - j0 + 7) & ~7);
}

/**
 * score − lse, where lse comes in two parts. Two infinities give 0, because a score of +∞ shares all the mass with its
 * like, whose number `lseLow` tells; a hidden score stays −∞, were lse NaN.
 */
// @ts-ignore: decorator
@inline export function below(score: v128, lse: v128, lseLow: v128): v128 {
  const hidden = f32x4.splat(-Infinity);
  const y = f32x4.sub(v128.andnot(f32x4.sub(score, lse), f32x4.eq(score, lse)), lseLow);
  return v128.bitselect(hidden, y, f32x4.eq(score, hidden));
}
