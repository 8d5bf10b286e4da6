// Sums of exponentials over a row.
import { sum4, vexp } from "./math";
import { at } from "./simd";

/** Σ exp(x − m) over V floats; with m the largest of them no term is above 1. */
export function sumExp(x: usize, V: i32, m: f32): f32 {
  const m4 = f32x4.splat(m);
  let s0 = f32x4.splat(0), s1 = s0, j = 0;
  for (; j + 8 <= V; j += 8) {
    s0 = f32x4.add(s0, vexp(f32x4.sub(v128.load(at(x, j)), m4)));
    s1 = f32x4.add(s1, vexp(f32x4.sub(v128.load(at(x, j), 16), m4)));
  }
  let s = sum4(f32x4.add(s0, s1));
  for (; j < V; j++) s += f32x4.extract_lane(vexp(f32x4.splat(f32.load(at(x, j)) - m)), 0);
  return s;
}
