// Strided copies: what Slice, Concat, Split, Tile and Transpose come down to. Sizes and strides in bytes here.

// `bytes` bytes in order. A loop of our own: `memory.copy` costs a call out of WebAssembly, too much for short rows.
// @ts-ignore: decorator
@inline export function copyBytes(from: usize, to: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i + 4 <= bytes; i += 4) store<u32>(to + i, load<u32>(from + i));
  for (; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
}

/** `rows` rows of `bytes` bytes each, from one row stride to another. The two sides must not overlap. */
export function copyRows(from: usize, to: usize, rows: i32, bytes: usize, fromStride: usize, toStride: usize): void {
  if (bytes >= 4096) {
    for (; rows > 0; rows--) { memory.copy(to, from, bytes); from += fromStride; to += toStride; }
  } else if (bytes == 4) {
    for (; rows > 0; rows--) { store<u32>(to, load<u32>(from)); from += fromStride; to += toStride; }
  } else {
    for (; rows > 0; rows--) { copyBytes(from, to, bytes); from += fromStride; to += toStride; }
  }
}
