import { decodeBfloat16, encodeBfloat16 } from "./bfloat16.ts";
import { decodeFloat16, encodeFloat16 } from "./float16.ts";

/** A floating-point format of 16 bits. */
export type HalfType = "float16" | "bfloat16";

export const HALF_TYPES: readonly HalfType[] = ["float16", "bfloat16"];

/** What there is to know about a format. */
export interface HalfFormat {
  encode(values: Float32Array): Uint16Array;
  decode(values: Uint16Array): Float32Array;
  /** u: rounding changes a normal number by at most this share of it. */
  readonly roundoff: number;
  /** The largest finite number; what rounds beyond it is infinite. */
  readonly largest: number;
  /** The smallest number above 0. */
  readonly smallest: number;
}

export const HALF: Readonly<Record<HalfType, HalfFormat>> = {
  float16: {
    encode: encodeFloat16,
    decode: decodeFloat16,
    roundoff: 2 ** -11,
    largest: 65504,
    smallest: 2 ** -24,
  },
  bfloat16: {
    encode: encodeBfloat16,
    decode: decodeBfloat16,
    roundoff: 2 ** -8,
    largest: (2 - 2 ** -7) * 2 ** 127,
    smallest: 2 ** -133,
  },
};
