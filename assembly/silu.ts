// SiLU, alone and as a gate, and the gradients: one read of each input and one write of each output.
//
// With e = exp(−|x|), σ(x) is 1/(1 + e) or, where x < 0, e/(1 + e), and 1 − σ(x) is the other: nothing cancels.
import { expBelow } from "./attention/exp";
import { load, store } from "./lanes";
import { at, fma } from "./simd";

// @ts-ignore: decorator
@inline function decay(x: v128): v128 {
  return expBelow(f32x4.neg(f32x4.abs(x)));
}

// @ts-ignore: decorator
@inline function isNegative(x: v128): v128 {
  return f32x4.lt(x, f32x4.splat(0));
}

// x·σ(x).
// @ts-ignore: decorator
@inline function siluOf(x: v128, e: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(f32x4.mul(x, v128.bitselect(e, one, isNegative(x))), f32x4.add(one, e));
}

/** out = x·σ(x). */
export function silu(x: usize, out: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) siluLanes(at(x, i), at(out, i), 4);
  if (i < n) siluLanes(at(x, i), at(out, i), n - i);
}

// @ts-ignore: decorator
@inline function siluLanes(x: usize, out: usize, lanes: i32): void {
  const value = load(x, lanes);
  store(out, siluOf(value, decay(value)), lanes);
}

/** dx = dy·(σ(x) + x·σ(x)·(1 − σ(x))). */
export function siluGrad(x: usize, dy: usize, dx: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) siluGradLanes(at(x, i), at(dy, i), at(dx, i), 4);
  if (i < n) siluGradLanes(at(x, i), at(dy, i), at(dx, i), n - i);
}

// @ts-ignore: decorator
@inline function siluGradLanes(x: usize, dy: usize, dx: usize, lanes: i32): void {
  const value = load(x, lanes), e = decay(value);
  const far = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), e)), near = f32x4.mul(e, far);
  const s = v128.bitselect(near, far, isNegative(value));
  store(dx, f32x4.mul(load(dy, lanes), fma(f32x4.mul(value, near), far, s)), lanes);
}

/** out = gate·σ(gate)·x. */
export function gatedSilu(gate: usize, x: usize, out: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) gatedSiluLanes(at(gate, i), at(x, i), at(out, i), 4);
  if (i < n) gatedSiluLanes(at(gate, i), at(x, i), at(out, i), n - i);
}

// @ts-ignore: decorator
@inline function gatedSiluLanes(gate: usize, x: usize, out: usize, lanes: i32): void {
  const value = load(gate, lanes);
  store(out, f32x4.mul(siluOf(value, decay(value)), load(x, lanes)), lanes);
}

/** dgate = dy·x·(σ(gate) + gate·σ(gate)·(1 − σ(gate))), dx = dy·gate·σ(gate). */
export function gatedSiluGrad(gate: usize, x: usize, dy: usize, dgate: usize, dx: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) gatedSiluGradLanes(at(gate, i), at(x, i), at(dy, i), at(dgate, i), at(dx, i), 4);
  if (i < n) gatedSiluGradLanes(at(gate, i), at(x, i), at(dy, i), at(dgate, i), at(dx, i), n - i);
}

// @ts-ignore: decorator
@inline function gatedSiluGradLanes(gate: usize, x: usize, dy: usize, dgate: usize, dx: usize, lanes: i32): void {
  const value = load(gate, lanes), d = load(dy, lanes), e = decay(value);
  const far = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), e)), near = f32x4.mul(e, far);
  const s = v128.bitselect(near, far, isNegative(value));
  store(dgate, f32x4.mul(f32x4.mul(d, load(x, lanes)), fma(f32x4.mul(value, near), far, s)), lanes);
  store(dx, f32x4.mul(d, f32x4.mul(value, s)), lanes);
}
