// Row gather and its gradient.
import { copyBytes } from "./copy";
import { at } from "./simd";

/**
 * out[b, o, i, :] = x[b, o, ids[b, i], :], rows of `bytes` bytes. Returns −1, or the position in `ids` of the first
 * id outside [0, size), in which case nothing has been written.
 */
export function gather(
  x: usize, ids: usize, out: usize, batch: i32, outer: i32, size: i32, count: i32, bytes: usize,
): i32 {
  for (let i = 0; i < batch * count; i++) {
    if (<u32>i32.load(at(ids, i)) >= <u32>size) return i;
  }
  for (let b = 0; b < batch; b++) {
    for (let o = 0; o < outer; o++) {
      const plane = x + <usize>((b * outer + o) * size) * bytes;
      for (let i = 0; i < count; i++) {
        copyBytes(plane + <usize>i32.load(at(ids, b * count + i)) * bytes, out, bytes);
        out += bytes;
      }
    }
  }
  return -1;
}

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

/** The same sum over int32. */
export function unsortedSegmentSumInt(x: usize, ids: usize, out: usize, n: i32, width: i32, segments: i32): void {
  memory.fill(out, 0, (<usize>(segments * width)) << 2);
  for (let i = 0; i < n; i++) {
    const id = i32.load(at(ids, i));
    if (<u32>id >= <u32>segments) continue;
    const from = at(x, i * width), to = at(out, id * width);
    for (let j = 0; j < width; j++) i32.store(at(to, j), i32.load(at(to, j)) + i32.load(at(from, j)));
  }
}
