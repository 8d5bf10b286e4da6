// Row gather and its gradient.
import { at } from "./simd";

/** out[ids[i]] += x[i] over rows of `width` floats; ids outside [0, segments) are dropped, as TensorFlow does. */
export function unsortedSegmentSum(x: usize, ids: usize, out: usize, n: i32, width: i32, segments: i32): void {
  memory.fill(out, 0, (<usize>(segments * width)) << 2);
  for (let i = 0; i < n; i++) {
    const id = i32.load(at(ids, i));
    if (<u32>id >= <u32>segments) continue;
    const from = at(x, i * width), to = at(out, id * width);
    let j = 0;
    for (; j + 4 <= width; j += 4) v128.store(at(to, j), f32x4.add(v128.load(at(to, j)), v128.load(at(from, j))));
    for (; j < width; j++) f32.store(at(to, j), f32.load(at(to, j)) + f32.load(at(from, j)));
  }
}
