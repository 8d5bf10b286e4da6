// The most multiply-adds that this engine does in a second: twelve independent chains in registers, no memory.
// Not part of the kernels that ship.
import { fma } from "../simd";

/** 12 × 4 multiply-adds, 96 flops, n times; reads 32 bytes at `address` and writes 16 there. */
export function peak(n: i32, address: usize): void {
  const x = v128.load(address), y = v128.load(address, 16);
  let a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
  for (let t = 0; t < n; t++) {
    a = fma(x, y, a); b = fma(x, y, b); c = fma(x, y, c); d = fma(x, y, d);
    e = fma(x, y, e); f = fma(x, y, f); g = fma(x, y, g); h = fma(x, y, h);
    i = fma(x, y, i); j = fma(x, y, j); k = fma(x, y, k); l = fma(x, y, l);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(e, f));
  v128.store(address, f32x4.add(low, f32x4.add(f32x4.add(f32x4.add(g, h), f32x4.add(i, j)), f32x4.add(k, l))));
}
