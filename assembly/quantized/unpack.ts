// Rows of quantised weights (./forms.ts) as floats, for products with many vectors, which take them a tile at a time, and for
// single rows of an embedding.
import { at } from "../simd";
import { BYTES, BYTES_K, bodyOf, bytesOf, CENTRED, HALVES_K, headOf, isNibbles, isPaired, isShort, NIBBLES, NIBBLES_K, rowsOf, SHORT_MASK, SHORT_UNIT } from "./forms";

// The scale of one row of a block, or with `second` its minimum or second scale.
// @ts-ignore: decorator
@inline function scaleOf(form: i32, block: usize, lane: i32, second: bool): f32 {
  const address = block + (second ? headOf(form) / 2 : 0);
  if (!isShort(form)) return f32.load(at(address, lane));
  const half = <i32>load<i16>(address + ((<usize>lane) << 1));
  return reinterpret<f32>((half << 13) & SHORT_MASK) * reinterpret<f32>(SHORT_UNIT);
}

// d·q + m of eight weights of even places and eight of odd ones, as 16 floats.
// @ts-ignore: decorator
@inline function spread(even: v128, odd: v128, d: v128, m: v128, to: usize): void {
  for (let half = 0; half < 2; half++) {
    const e = half ? i32x4.extend_high_i16x8_s(even) : i32x4.extend_low_i16x8_s(even);
    const o = half ? i32x4.extend_high_i16x8_s(odd) : i32x4.extend_low_i16x8_s(odd);
    const x = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(e), d), m), y = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(o), d), m);
    v128.store(to, v128.shuffle<f32>(x, y, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<f32>(x, y, 2, 6, 3, 7), 16);
    to += 32;
  }
}

// @ts-ignore: decorator
@inline function unpack(form: i32, weights: usize, first: i32, count: i32, blocks: i32, out: usize): void {
  const mask = i16x8.splat(15);
  for (let r = first; r < first + count; r++) {
    const lane = r & (rowsOf(form) - 1);
    let block = weights + <usize>(r / rowsOf(form)) * <usize>(blocks * bytesOf(form));
    for (let n = 0; n < blocks; n++) {
      const body = block + headOf(form) + lane * (isNibbles(form) ? 4 : bodyOf(form)), scale = scaleOf(form, block, lane, false);
      const d = f32x4.splat(scale);
      let m = f32x4.splat(0), e = d;
      if (form == CENTRED) m = f32x4.splat(-8 * scale);
      else if (form == HALVES_K) e = f32x4.splat(scaleOf(form, block, lane, true));
      else if (isPaired(form)) m = f32x4.splat(scaleOf(form, block, lane, true));
      if (isNibbles(form)) {
        let bytes = v128.load32_lane(body, i32x4.splat(0), 0);
        bytes = v128.load32_lane(body, bytes, 1, 32);
        bytes = v128.load32_lane(body, bytes, 2, 64);
        bytes = v128.load32_lane(body, bytes, 3, 96);
        spread(v128.and(bytes, mask), v128.and(i16x8.shr_u(bytes, 8), mask), d, m, out);
        spread(v128.and(i16x8.shr_u(bytes, 4), mask), i16x8.shr_u(bytes, 12), d, m, out + 64);
      } else {
        spread(v128.load8x8_s(body), v128.load8x8_s(body, 8), d, m, out);
        spread(v128.load8x8_s(body, 16), v128.load8x8_s(body, 24), e, m, out + 64);
      }
      block += bytesOf(form);
      out += 128;
    }
  }
}

/** `count` rows from `first` on, of `blocks` blocks each, as 32 floats a block. */
export function unpackNibbles(weights: usize, first: i32, count: i32, blocks: i32, out: usize): void {
  unpack(NIBBLES, weights, first, count, blocks, out);
}

export function unpackCentred(weights: usize, first: i32, count: i32, blocks: i32, out: usize): void {
  unpack(CENTRED, weights, first, count, blocks, out);
}

export function unpackNibblesK(weights: usize, first: i32, count: i32, blocks: i32, out: usize): void {
  unpack(NIBBLES_K, weights, first, count, blocks, out);
}

export function unpackBytes(weights: usize, first: i32, count: i32, blocks: i32, out: usize): void {
  unpack(BYTES, weights, first, count, blocks, out);
}

export function unpackBytesK(weights: usize, first: i32, count: i32, blocks: i32, out: usize): void {
  unpack(BYTES_K, weights, first, count, blocks, out);
}

export function unpackHalvesK(weights: usize, first: i32, count: i32, blocks: i32, out: usize): void {
  unpack(HALVES_K, weights, first, count, blocks, out);
}
