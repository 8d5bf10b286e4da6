// How rows of quantised weights lie, as src/kernels/quantized/forms.ts packs them. Eight or four rows stand side by side, so that
// they share what is loaded of the other factor and their scales are vectors; a block has 32 weights of each:
//
//     NIBBLES    d f16 ×8, m f16 ×8, 16 bytes ×8    w = d·q + m     Q4_1
//     CENTRED    d f16 ×8,           16 bytes ×8    w = d·(q − 8)   Q4_0
//     NIBBLES_K  d f32 ×8, m f32 ×8, 16 bytes ×8    w = d·q + m     Q4_K
//     BYTES      d f16 ×4,           32 int8  ×4    w = d·q         Q8_0
//     BYTES_K    d f32 ×4, m f32 ×4, 32 int8  ×4    w = d·q + m     Q5_0, Q5_1, Q5_K
//     HALVES_K   d f32 ×4, e f32 ×4, 32 int8  ×4    w = d·q, e·q    Q6_K, whose blocks have 16 weights
//
// Weights of 4 bits: value i in the low half of byte i, i + 16 in the high; of each row four bytes at a time, so that a lane of
// 32 bits is a row and the integers of a block need no sum across lanes. Weights of 8 bits: row after row, of each 16 the even
// ones, then the odd ones, as 16-bit lanes of the vector have them (./vector.ts).

// @ts-ignore: decorator
@inline export const NIBBLES: i32 = 0;
// @ts-ignore: decorator
@inline export const CENTRED: i32 = 1;
// @ts-ignore: decorator
@inline export const NIBBLES_K: i32 = 2;
// @ts-ignore: decorator
@inline export const BYTES: i32 = 3;
// @ts-ignore: decorator
@inline export const BYTES_K: i32 = 4;
// @ts-ignore: decorator
@inline export const HALVES_K: i32 = 5;

// @ts-ignore: decorator
@inline export function isNibbles(form: i32): bool {
  return form <= NIBBLES_K;
}

// Scales are float16.
// @ts-ignore: decorator
@inline export function isShort(form: i32): bool {
  return form == NIBBLES || form == CENTRED || form == BYTES;
}

// There is a second scale or a minimum.
// @ts-ignore: decorator
@inline export function isPaired(form: i32): bool {
  return form != CENTRED && form != BYTES;
}

/** Rows side by side. */
// @ts-ignore: decorator
@inline export function rowsOf(form: i32): i32 {
  return isNibbles(form) ? 8 : 4;
}

/** Bytes of the scales of a block. */
// @ts-ignore: decorator
@inline export function headOf(form: i32): i32 {
  return rowsOf(form) * (isShort(form) ? 2 : 4) * (isPaired(form) ? 2 : 1);
}

/** Bytes of the weights of a row of a block. */
// @ts-ignore: decorator
@inline export function bodyOf(form: i32): i32 {
  return isNibbles(form) ? 16 : 32;
}

/** Bytes of a block of all its rows. */
// @ts-ignore: decorator
@inline export function bytesOf(form: i32): i32 {
  return headOf(form) + rowsOf(form) * bodyOf(form);
}

/** What of a float16 is in its place once it is moved 13 bits up: 2⁻¹¹² times the number. */
export const SHORT_MASK: i32 = <i32>0x8fffe000;

/** 2¹¹²: what a float16 with SHORT_MASK lacks. */
export const SHORT_UNIT: i32 = (127 + 112) << 23;
