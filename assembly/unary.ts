// Elementwise functions of float32. A tail shorter than four goes through one padded register.
import { verf, vexp, vtanh } from "./math";
import { at } from "./simd";

// @ts-ignore: decorator
@inline function one(y: v128): f32 {
  return f32x4.extract_lane(y, 0);
}

export function exp(x: usize, out: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(at(out, i), vexp(v128.load(at(x, i))));
  for (; i < n; i++) f32.store(at(out, i), one(vexp(v128.load32_splat(at(x, i)))));
}

export function tanh(x: usize, out: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(at(out, i), vtanh(v128.load(at(x, i))));
  for (; i < n; i++) f32.store(at(out, i), one(vtanh(v128.load32_splat(at(x, i)))));
}

export function erf(x: usize, out: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(at(out, i), verf(v128.load(at(x, i))));
  for (; i < n; i++) f32.store(at(out, i), one(verf(v128.load32_splat(at(x, i)))));
}
