// GELU and its gradient: one read and one write an element, where composed operations make six passes forward.
import { expBelow } from "./attention/exp";
import { load, store } from "./lanes";
import { at, fma } from "./simd";

// @ts-ignore: decorator
@inline const ROOT_2_OVER_PI: f32 = 0.7978845608;
// @ts-ignore: decorator
@inline const CUBIC: f32 = 0.044715;

// The standard normal distribution Φ(x), given e = exp(−x²/2):
//
//     1 − Φ(|x|) = e · t · P(t),    t = 1 / (1 + 0.345·|x|),
//
// which stays accurate in the far negative tail, where ½·(1 + erf(x/√2)) has cancelled to nothing. P is our Remez fit
// for |x| ≤ 15, where e has long been 0: within 2.6e-8 of the value, and 3e-7 with the roundings of float32.
// @ts-ignore: decorator
@inline function normal(x: v128, e: v128): v128 {
  const one = f32x4.splat(1), t = f32x4.div(one, fma(f32x4.splat(0.345), f32x4.abs(x), one));
  let p = f32x4.splat(-0.02793351058);
  p = fma(p, t, f32x4.splat(0.1432382639));
  p = fma(p, t, f32x4.splat(-0.2672359902));
  p = fma(p, t, f32x4.splat(0.1830226501));
  p = fma(p, t, f32x4.splat(-0.03494711549));
  p = fma(p, t, f32x4.splat(0.1107661558));
  p = fma(p, t, f32x4.splat(0.117478009));
  p = fma(p, t, f32x4.splat(0.1379906769));
  p = fma(p, t, f32x4.splat(0.1376208706));
  const tail = f32x4.mul(f32x4.mul(p, t), e);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}

// exp(−x²/2), which is 0 from |x| = 13.3 on.
// @ts-ignore: decorator
@inline function bell(x: v128): v128 {
  return expBelow(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

// x² for the tanh form, bounded where σ is 0 or 1 long since, so that its gradient cannot make 0 · ∞.
// @ts-ignore: decorator
@inline function squareOf(x: v128): v128 {
  return f32x4.min(f32x4.mul(x, x), f32x4.splat(1e4));
}

// e = exp(−2|y|) with y = √(2/π)·(x + 0.044715·x³), of which ½·(1 + tanh y) = σ(2y) is 1/(1 + e) or, where x < 0,
// e/(1 + e): nothing cancels.
// @ts-ignore: decorator
@inline function decay(x: v128, square: v128): v128 {
  const inner = fma(f32x4.splat(CUBIC), square, f32x4.splat(1));
  return expBelow(f32x4.mul(f32x4.mul(f32x4.abs(x), f32x4.splat(-2 * ROOT_2_OVER_PI)), inner));
}

/** out = x·Φ(x). */
export function gelu(x: usize, out: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) geluLanes(at(x, i), at(out, i), 4);
  if (i < n) geluLanes(at(x, i), at(out, i), n - i);
}

// @ts-ignore: decorator
@inline function geluLanes(x: usize, out: usize, lanes: i32): void {
  const value = load(x, lanes);
  store(out, f32x4.mul(value, normal(value, bell(value))), lanes);
}

/** dx = dy·(Φ(x) + x·φ(x)), φ the density exp(−x²/2)/√(2π). */
export function geluGrad(x: usize, dy: usize, dx: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) geluGradLanes(at(x, i), at(dy, i), at(dx, i), 4);
  if (i < n) geluGradLanes(at(x, i), at(dy, i), at(dx, i), n - i);
}

// @ts-ignore: decorator
@inline function geluGradLanes(x: usize, dy: usize, dx: usize, lanes: i32): void {
  const value = load(x, lanes), e = bell(value), density = f32x4.mul(e, f32x4.splat(0.3989422804));
  store(dx, f32x4.mul(load(dy, lanes), fma(value, density, normal(value, e))), lanes);
}

/** out = ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export function geluTanh(x: usize, out: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) geluTanhLanes(at(x, i), at(out, i), 4);
  if (i < n) geluTanhLanes(at(x, i), at(out, i), n - i);
}

// @ts-ignore: decorator
@inline function geluTanhLanes(x: usize, out: usize, lanes: i32): void {
  const value = load(x, lanes), one = f32x4.splat(1), e = decay(value, squareOf(value));
  const share = v128.bitselect(e, one, f32x4.lt(value, f32x4.splat(0)));
  store(out, f32x4.div(f32x4.mul(value, share), f32x4.add(one, e)), lanes);
}

/** dx = dy·(s + x·s·(1 − s)·2y′) with s = σ(2y) and y′ = √(2/π)·(1 + 3·0.044715·x²). */
export function geluTanhGrad(x: usize, dy: usize, dx: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) geluTanhGradLanes(at(x, i), at(dy, i), at(dx, i), 4);
  if (i < n) geluTanhGradLanes(at(x, i), at(dy, i), at(dx, i), n - i);
}

// @ts-ignore: decorator
@inline function geluTanhGradLanes(x: usize, dy: usize, dx: usize, lanes: i32): void {
  const value = load(x, lanes), one = f32x4.splat(1), square = squareOf(value), e = decay(value, square);
  const far = f32x4.div(one, f32x4.add(one, e)), near = f32x4.mul(e, far);
  const s = v128.bitselect(near, far, f32x4.lt(value, f32x4.splat(0)));
  const slope = fma(f32x4.splat(6 * ROOT_2_OVER_PI * CUBIC), square, f32x4.splat(2 * ROOT_2_OVER_PI));
  store(dx, f32x4.mul(load(dy, lanes), fma(f32x4.mul(value, f32x4.mul(near, far)), slope, s)), lanes);
}
