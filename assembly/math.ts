// Elementary functions on four floats at a time, inlined into the kernels. Polynomials of Moshier's Cephes
// (netlib.org/cephes, single precision) as code, because a table would be a data segment. NaN passes through
// every one; the worst errors, over all signs and sizes, stand beside each and are held by test/ops/math.test.ts.
import { fma } from "./simd";

// 1.5 · 2²³: adding it to |x| < 2²² rounds x to an integer and leaves that integer in the low bits.
// @ts-ignore: decorator
@inline const ROUND: f32 = 12582912.0;

/** eˣ. Within 1 ulp; Infinity above 88.73, subnormal below −87.34, 0 below −103.98. */
// @ts-ignore: decorator
@inline export function vexp(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-104)), f32x4.splat(89));
  const shifted = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504088896341)), f32x4.splat(ROUND));
  const n = f32x4.sub(shifted, f32x4.splat(ROUND));
  let r = fma(n, f32x4.splat(-0.693359375), x);
  r = fma(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = fma(p, r, f32x4.splat(1.3981999507e-3));
  p = fma(p, r, f32x4.splat(8.3334519073e-3));
  p = fma(p, r, f32x4.splat(4.1665795894e-2));
  p = fma(p, r, f32x4.splat(1.6666665459e-1));
  p = fma(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(fma(p, f32x4.mul(r, r), r), f32x4.splat(1));
  // 2ⁿ in two halves: n reaches 128 and −150, beyond the exponents a float can hold.
  const whole = i32x4.sub(shifted, f32x4.splat(ROUND));
  const half = i32x4.shr_s(whole, 1), rest = i32x4.sub(whole, half);
  p = f32x4.mul(p, i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23));
  return f32x4.mul(p, i32x4.shl(i32x4.add(rest, i32x4.splat(127)), 23));
}

/** 1 / (1 + e⁻ˣ). Within 3 ulp; 0 below −88.73. */
// @ts-ignore: decorator
@inline export function vsigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, vexp(f32x4.neg(x))));
}

/** tanh x. Within 2 ulp: a polynomial below 0.625, where 1 − 2/(e²ˣ + 1) would cancel. */
// @ts-ignore: decorator
@inline export function vtanh(x: v128): v128 {
  const one = f32x4.splat(1), size = f32x4.abs(x), z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = fma(p, z, f32x4.splat(2.06390887954e-2));
  p = fma(p, z, f32x4.splat(-5.37397155531e-2));
  p = fma(p, z, f32x4.splat(1.33314422036e-1));
  p = fma(p, z, f32x4.splat(-3.33332819422e-1));
  const small = fma(f32x4.mul(p, z), x, x);
  const large = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(vexp(f32x4.add(size, size)), one)));
  const y = v128.bitselect(small, large, f32x4.lt(size, f32x4.splat(0.625)));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

/** erf x. Within 3 ulp: a polynomial up to 1, above it 1 − e^(−x²) P(1/x²) / x. */
// @ts-ignore: decorator
@inline export function verf(x: v128): v128 {
  const one = f32x4.splat(1), size = f32x4.abs(x), z = f32x4.mul(x, x);
  let t = f32x4.splat(7.853861353153693e-5);
  t = fma(t, z, f32x4.splat(-8.010193625184903e-4));
  t = fma(t, z, f32x4.splat(5.188327685732524e-3));
  t = fma(t, z, f32x4.splat(-2.685381193529856e-2));
  t = fma(t, z, f32x4.splat(1.128358514861418e-1));
  t = fma(t, z, f32x4.splat(-3.761262582423300e-1));
  t = fma(t, z, f32x4.splat(1.128379165726710));
  const small = f32x4.mul(t, x);
  const q = f32x4.div(one, size), y = f32x4.mul(q, q);
  let p = f32x4.splat(2.326819970068386e-2);
  p = fma(p, y, f32x4.splat(-1.387039388740657e-1));
  p = fma(p, y, f32x4.splat(3.687424674597105e-1));
  p = fma(p, y, f32x4.splat(-5.824733027278666e-1));
  p = fma(p, y, f32x4.splat(6.210004621745983e-1));
  p = fma(p, y, f32x4.splat(-4.944515323274145e-1));
  p = fma(p, y, f32x4.splat(3.404879937665872e-1));
  p = fma(p, y, f32x4.splat(-2.741127028184656e-1));
  p = fma(p, y, f32x4.splat(5.638259427386472e-1));
  const large = f32x4.sub(one, f32x4.mul(vexp(f32x4.neg(z)), f32x4.mul(q, p)));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.le(size, one));
}

/** ln x. Within 1 ulp; −Infinity at 0, NaN below it, subnormals included. */
// @ts-ignore: decorator
@inline export function vlog(x: v128): v128 {
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  // x = m · 2ᵉ with √½ ≤ m < √2
  const lifted = i32x4.add(scaled, i32x4.splat(0x3f800000 - 0x3f3504f3));
  const e = i32x4.sub(i32x4.shr_s(lifted, 23), i32x4.splat(127));
  const m = i32x4.add(v128.and(lifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const n = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(tiny, f32x4.splat(23)));
  const r = f32x4.sub(m, f32x4.splat(1)), z = f32x4.mul(r, r);
  let p = f32x4.splat(7.0376836292e-2);
  p = fma(p, r, f32x4.splat(-1.1514610310e-1));
  p = fma(p, r, f32x4.splat(1.1676998740e-1));
  p = fma(p, r, f32x4.splat(-1.2420140846e-1));
  p = fma(p, r, f32x4.splat(1.4249322787e-1));
  p = fma(p, r, f32x4.splat(-1.6668057665e-1));
  p = fma(p, r, f32x4.splat(2.0000714765e-1));
  p = fma(p, r, f32x4.splat(-2.4999993993e-1));
  p = fma(p, r, f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, r), z);
  y = fma(n, f32x4.splat(-2.12194440e-4), y);
  y = fma(z, f32x4.splat(-0.5), y);
  y = fma(n, f32x4.splat(0.693359375), f32x4.add(r, y));
  // NaN for x < 0 or NaN, x itself at Infinity, −Infinity at 0.
  const infinity = f32x4.splat(Infinity);
  y = v128.bitselect(infinity, y, f32x4.eq(x, infinity));
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0)));
  return v128.bitselect(y, f32x4.splat(NaN), f32x4.ge(x, f32x4.splat(0)));
}

/** ln x of one float. */
// @ts-ignore: decorator
@inline export function logf(x: f32): f32 {
  return f32x4.extract_lane(vlog(f32x4.splat(x)), 0);
}

/** The sum of four lanes. */
// @ts-ignore: decorator
@inline export function sum4(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** The greatest of four lanes. */
// @ts-ignore: decorator
@inline export function max4(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}
