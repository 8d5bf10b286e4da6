// The inlined functions of math.ts over arrays (n a multiple of 4), for the test that measures their errors.
// Not part of the kernels that ship.
import { verf, vexp, vlog, vsigmoid, vtanh } from "../math";

export function exp(x: usize, out: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) v128.store(out + i, vexp(v128.load(x + i)));
}
export function log(x: usize, out: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) v128.store(out + i, vlog(v128.load(x + i)));
}
export function tanh(x: usize, out: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) v128.store(out + i, vtanh(v128.load(x + i)));
}
export function sigmoid(x: usize, out: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) v128.store(out + i, vsigmoid(v128.load(x + i)));
}
export function erf(x: usize, out: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) v128.store(out + i, verf(v128.load(x + i)));
}
