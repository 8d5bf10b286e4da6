// Transposes of 4-byte elements.

/** Four rows of four floats become four columns. Strides in bytes. */
// @ts-ignore: decorator
@inline export function transpose4x4(from: usize, fromStride: usize, to: usize, toStride: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from + fromStride);
  const r2 = v128.load(from + 2 * fromStride), r3 = v128.load(from + 3 * fromStride);
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
  v128.store(to + toStride, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
  v128.store(to + 2 * toStride, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5));
  v128.store(to + 3 * toStride, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7));
}

/**
 * to[c, r] = from[r, c] for `rows` × `cols` elements; strides in bytes between rows of `from` and rows of `to`.
 * Walks in blocks of 4 × 4, sixteen rows at a time, so that the lines being written stay in the first cache.
 */
export function transpose(from: usize, to: usize, rows: i32, cols: i32, fromStride: usize, toStride: usize): void {
  const cols4 = cols & ~3;
  for (let r0 = 0; r0 < rows; r0 += 16) {
    const r1 = min(r0 + 16, rows);
    for (let c = 0; c < cols4; c += 4) {
      let r = r0;
      const columnFrom = from + ((<usize>c) << 2), columnTo = to + <usize>c * toStride;
      for (; r + 4 <= r1; r += 4) {
        transpose4x4(columnFrom + <usize>r * fromStride, fromStride, columnTo + ((<usize>r) << 2), toStride);
      }
      for (; r < r1; r++) {
        const source = columnFrom + <usize>r * fromStride, target = columnTo + ((<usize>r) << 2);
        for (let h: usize = 0; h < 4; h++) store<u32>(target + h * toStride, load<u32>(source + (h << 2)));
      }
    }
    for (let c = cols4; c < cols; c++) {
      for (let r = r0; r < r1; r++) {
        const value = load<u32>(from + <usize>r * fromStride + ((<usize>c) << 2));
        store<u32>(to + <usize>c * toStride + ((<usize>r) << 2), value);
      }
    }
  }
}
