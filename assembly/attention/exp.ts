// e^y for the range a softmax needs. NaN passes through.
import { fma } from "../simd";

// 1.5 · 2²³ + 127: adding it rounds to an integer and leaves that integer, biased as an exponent, in the low bits.
// @ts-ignore: decorator
@inline const ROUND: f32 = 12583039.0;

/** e^y for |y| ≤ 87. A minimax polynomial of degree 5 with 2⁰ = 1 exactly: within 1e-7, relatively. */
// @ts-ignore: decorator
@inline export function expBounded(y: v128): v128 {
  const log2e = f32x4.splat(1.44269504088896341), round = f32x4.splat(ROUND);
  const t = fma(y, log2e, round);
  const r = fma(y, log2e, f32x4.sub(round, t));
  let p = f32x4.splat(0.0013264727213762421);
  p = fma(p, r, f32x4.splat(0.009671512812494995));
  p = fma(p, r, f32x4.splat(0.055507337448245375));
  p = fma(p, r, f32x4.splat(0.24022242082677453));
  p = fma(p, r, f32x4.splat(0.6931469775973308));
  p = fma(p, r, f32x4.splat(1));
  return f32x4.mul(p, i32x4.shl(t, 23));
}

/** e^y for y ≤ 87, −∞ included; 0 below −87.7. */
// @ts-ignore: decorator
@inline export function expBelow(y: v128): v128 {
  // −127 ln 2, where the exponent's bits are all 0. pmax keeps a NaN on its left.
  return expBounded(f32x4.pmax(y, f32x4.splat(-88.029692)));
}
