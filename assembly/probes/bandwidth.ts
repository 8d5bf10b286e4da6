// How fast this engine can read memory at all: the sum of floats, eight vectors at a time, nothing else done to them.
// Not part of the kernels that ship.
import { sum4 } from "../math";

/** Σ of the floats in `bytes` bytes, a multiple of 128, at `address`. */
export function sumAll(address: usize, bytes: usize): f32 {
  let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (const end = address + bytes; address < end; address += 128) {
    a = f32x4.add(a, v128.load(address)); b = f32x4.add(b, v128.load(address, 16));
    c = f32x4.add(c, v128.load(address, 32)); d = f32x4.add(d, v128.load(address, 48));
    e = f32x4.add(e, v128.load(address, 64)); f = f32x4.add(f, v128.load(address, 80));
    g = f32x4.add(g, v128.load(address, 96)); h = f32x4.add(h, v128.load(address, 112));
  }
  return sum4(f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h))));
}
