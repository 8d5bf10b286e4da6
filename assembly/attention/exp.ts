// e^y for the range a softmax needs. NaN passes through. A loop loads the constants from memory once and hands them
// to `expWith`: V8 13 makes a constant anew at every use, which costs the forward pass 5 % on Node 24.
import { fma } from "../simd";

// 1.5 · 2²³ + 127: adding it rounds to an integer and leaves that integer, biased as an exponent, in the low bits.
// @ts-ignore: decorator
@inline const ROUND: f32 = 12583039.0;
// −127 ln 2, where the exponent's bits are all 0.
// @ts-ignore: decorator
@inline export const LEAST: f32 = -88.029692;

/** Writes what `expWith` takes to nine floats: log₂e, ROUND, a minimax polynomial of 2ʳ, highest first, and LEAST. */
export function writeExpConstants(to: usize): void {
  f32.store(to, 1.44269504088896341);
  f32.store(to, ROUND, 4);
  f32.store(to, 0.0013264727213762421, 8);
  f32.store(to, 0.009671512812494995, 12);
  f32.store(to, 0.055507337448245375, 16);
  f32.store(to, 0.24022242082677453, 20);
  f32.store(to, 0.6931469775973308, 24);
  f32.store(to, 1, 28);
  f32.store(to, LEAST, 32);
}

/** e^y for |y| ≤ 87. The polynomial is of degree 5 and 2⁰ is 1 exactly: within 1e-7, relatively. */
// @ts-ignore: decorator
@inline export function expWith(
  y: v128, log2e: v128, round: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, one: v128,
): v128 {
  const t = fma(y, log2e, round);
  const r = fma(y, log2e, f32x4.sub(round, t));
  let p = fma(c5, r, c4);
  p = fma(p, r, c3);
  p = fma(p, r, c2);
  p = fma(p, r, c1);
  p = fma(p, r, one);
  return f32x4.mul(p, i32x4.shl(t, 23));
}

/** e^y for y ≤ 87, −∞ included; 0 below −87.7. */
// @ts-ignore: decorator
@inline export function expBelow(y: v128): v128 {
  // pmax keeps a NaN on its left.
  return expWith(
    f32x4.pmax(y, f32x4.splat(LEAST)), f32x4.splat(1.44269504088896341), f32x4.splat(ROUND),
    f32x4.splat(0.0013264727213762421), f32x4.splat(0.009671512812494995), f32x4.splat(0.055507337448245375),
    f32x4.splat(0.24022242082677453), f32x4.splat(0.6931469775973308), f32x4.splat(1),
  );
}
