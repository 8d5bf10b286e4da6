// 16-bit floating point: float16 (IEEE binary16) and bfloat16 (the upper half of a float32), packed, unpacked, and
// float32 rounded to what they hold. To nearest, ties to even; bit for bit what src/core/float16.ts and bfloat16.ts do.
import { load as loadLanes, store as storeLanes } from "./lanes";
import { at } from "./simd";

// @ts-ignore: decorator
@inline const MAGNITUDE: i32 = 0x7fffffff;
// @ts-ignore: decorator
@inline const INFINITE: i32 = 0x7f800000;

// The 16 bits of each lane, in the lower half of 32. After Giesen, "float to half", gist.github.com/rygorous/2156668.
// @ts-ignore: decorator
@inline function float16Of(x: v128): v128 {
  const size = v128.and(x, i32x4.splat(MAGNITUDE));
  // Normal: rebias and round; a carry out of the fraction raises the exponent, up to that of Infinity.
  const odd = v128.and(i32x4.shr_u(size, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(size, i32x4.splat(0xfff - (112 << 23))), odd), 13);
  // Subnormal: adding ½ has the unit of the sum's fraction be 2⁻²⁴, so that the addition rounds.
  const half = f32x4.splat(0.5);
  const subnormal = i32x4.sub(f32x4.add(size, half), half);
  const infinite = i32x4.splat(0x7c00);
  let bits = v128.bitselect(subnormal, normal, i32x4.lt_s(size, i32x4.splat(113 << 23)));
  bits = v128.bitselect(bits, infinite, i32x4.lt_s(size, i32x4.splat(143 << 23)));
  const payload = v128.and(i32x4.shr_u(size, 13), i32x4.splat(0x3ff));
  const nan = v128.or(infinite, quiet(payload, 0x200));
  bits = v128.bitselect(nan, bits, i32x4.gt_s(size, i32x4.splat(INFINITE)));
  return v128.or(bits, v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)));
}

// A payload that the cut bits would have left empty would be that of Infinity.
// @ts-ignore: decorator
@inline function quiet(payload: v128, bit: i32): v128 {
  return v128.bitselect(i32x4.splat(bit), payload, i32x4.eq(payload, i32x4.splat(0)));
}

// The float32 of the lower 16 bits of each lane.
// @ts-ignore: decorator
@inline function ofFloat16(bits: v128): v128 {
  const size = v128.and(bits, i32x4.splat(0x7fff));
  const sign = i32x4.shl(v128.xor(bits, size), 16);
  // Exponent and fraction in their places, 2¹¹² too small; the product makes normal numbers of subnormal ones.
  const value = f32x4.mul(i32x4.shl(size, 13), i32x4.splat((127 + 112) << 23));
  // Of NaN the product may have changed the payload.
  const special = v128.or(i32x4.shl(size, 13), i32x4.splat(INFINITE));
  return v128.or(v128.bitselect(special, value, i32x4.gt_s(size, i32x4.splat(0x7bff))), sign);
}

// The float32 of float16Of, without the detour.
// @ts-ignore: decorator
@inline function roundedFloat16(x: v128): v128 {
  const size = v128.and(x, i32x4.splat(MAGNITUDE)), infinite = i32x4.splat(INFINITE);
  const odd = v128.and(i32x4.shr_u(size, 13), i32x4.splat(1));
  const normal = v128.and(i32x4.add(i32x4.add(size, i32x4.splat(0xfff)), odd), i32x4.splat(~0x1fff));
  const half = f32x4.splat(0.5);
  const subnormal = f32x4.sub(f32x4.add(size, half), half);
  let value = v128.bitselect(subnormal, normal, i32x4.lt_s(size, i32x4.splat(113 << 23)));
  // From 65520 upwards.
  value = v128.bitselect(infinite, value, i32x4.gt_s(size, i32x4.splat(0x477fefff)));
  const nan = v128.or(infinite, quiet(v128.and(size, i32x4.splat(0x7fe000)), 0x400000));
  return v128.or(v128.bitselect(nan, value, i32x4.gt_s(size, infinite)), v128.xor(x, size));
}

// @ts-ignore: decorator
@inline function bfloat16Of(x: v128): v128 {
  const upper = i32x4.shr_u(x, 16), odd = v128.and(upper, i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd), 16);
  const nan = v128.or(v128.and(upper, i32x4.splat(0xff80)), quiet(v128.and(upper, i32x4.splat(0x7f)), 0x40));
  const size = v128.and(x, i32x4.splat(MAGNITUDE));
  return v128.bitselect(nan, rounded, i32x4.gt_s(size, i32x4.splat(INFINITE)));
}

// @ts-ignore: decorator
@inline function ofBfloat16(bits: v128): v128 {
  return i32x4.shl(bits, 16);
}

// @ts-ignore: decorator
@inline function bitsOf(x: v128, isBrain: bool): v128 {
  return isBrain ? bfloat16Of(x) : float16Of(x);
}

// @ts-ignore: decorator
@inline function valueOf(bits: v128, isBrain: bool): v128 {
  return isBrain ? ofBfloat16(bits) : ofFloat16(bits);
}

// @ts-ignore: decorator
@inline function pack(x: usize, out: usize, n: i32, isBrain: bool): void {
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const low = bitsOf(v128.load(at(x, i)), isBrain), high = bitsOf(v128.load(at(x, i), 16), isBrain);
    v128.store(out + (<usize>i << 1), i16x8.narrow_i32x4_u(low, high));
  }
  for (; i < n; i++) store<u16>(out + (<usize>i << 1), <u16>i32x4.extract_lane(bitsOf(v128.load32_zero(at(x, i)), isBrain), 0));
  // Two halves share a word.
  if (n & 1) store<u16>(out + (<usize>n << 1), 0);
}

// @ts-ignore: decorator
@inline function unpack(halves: usize, out: usize, n: i32, isBrain: bool): void {
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const bits = v128.load(halves + (<usize>i << 1));
    v128.store(at(out, i), valueOf(i32x4.extend_low_i16x8_u(bits), isBrain));
    v128.store(at(out, i), valueOf(i32x4.extend_high_i16x8_u(bits), isBrain), 16);
  }
  for (; i < n; i++) {
    const bits = i32x4.splat(load<u16>(halves + (<usize>i << 1)));
    storeLanes(at(out, i), valueOf(bits, isBrain), 1);
  }
}

// @ts-ignore: decorator
@inline function rounded(x: v128, isBrain: bool): v128 {
  return isBrain ? ofBfloat16(bfloat16Of(x)) : roundedFloat16(x);
}

// @ts-ignore: decorator
@inline function round(x: usize, out: usize, n: i32, isBrain: bool): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) storeLanes(at(out, i), rounded(loadLanes(at(x, i), 4), isBrain), 4);
  if (i < n) storeLanes(at(out, i), rounded(loadLanes(at(x, i), n - i), isBrain), n - i);
}

/** n floats as n halves, two in a word; the last half of an odd number is 0. */
export function packFloat16(x: usize, out: usize, n: i32): void {
  pack(x, out, n, false);
}

export function packBfloat16(x: usize, out: usize, n: i32): void {
  pack(x, out, n, true);
}

/** n halves as floats, exactly. */
export function unpackFloat16(halves: usize, out: usize, n: i32): void {
  unpack(halves, out, n, false);
}

export function unpackBfloat16(halves: usize, out: usize, n: i32): void {
  unpack(halves, out, n, true);
}

/** Floats rounded to what halves hold, as floats; x and out may be one. */
export function roundFloat16(x: usize, out: usize, n: i32): void {
  round(x, out, n, false);
}

export function roundBfloat16(x: usize, out: usize, n: i32): void {
  round(x, out, n, true);
}
