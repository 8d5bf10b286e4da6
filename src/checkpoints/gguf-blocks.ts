/**
 * Blocks of quantised numbers as ggml keeps them (github.com/ggml-org/ggml, src/ggml-common.h and ggml-quants.c), to float32.
 * d and m are float16; q are small unsigned integers.
 *
 *     Q4_0   x = d·(q − 8)     Q4_1   x = d·q + m         32 values, 4 bits: value i in the low half of byte i, i + 16 in the high
 *     Q5_0   x = d·(q − 16)    Q5_1   x = d·q + m         the same, with the fifth bits in 4 bytes
 *     Q8_0   x = d·q                                      32 signed bytes
 *     Q4_K   x = d·s·q − m·t   Q5_K   the same            256 values in 8 groups, with 6 bits each of s and t a group
 *     Q6_K   x = d·s·(q − 32)                             256 values in 16 groups, with a signed byte s a group
 */
import { decodeHalf } from "../core/float16.ts";
import { toFloat32 } from "./numbers.ts";

interface Block {
  /** Values of one block. */
  readonly values: number;
  readonly bytes: number;
  /** Writes one block from `at` on to `out` from `to` on; absent for plain numbers. */
  readonly write?: (block: DataView, at: number, out: Float32Array, to: number) => void;
}

/** A float16 of the file. */
const scaleAt = (view: DataView, at: number): number => decodeHalf(view.getUint16(at, true));

/** 32 values of 4 bits from `at` on, and their fifth bits in `high`: x = d·q + m. */
function write32(
  view: DataView,
  at: number,
  high: number,
  d: number,
  m: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(at + i);
    out[to + i] = d * ((byte & 15) | (((high >>> i) & 1) << 4)) + m;
    out[to + i + 16] = d * ((byte >> 4) | (((high >>> (i + 16)) & 1) << 4)) + m;
  }
}

/** The 6-bit scale and minimum of group j of 8, in the 12 bytes from `at` on. */
function groupScale(view: DataView, at: number, j: number): [scale: number, minimum: number] {
  const byte = (n: number) => view.getUint8(at + n);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** 256 values in pairs of groups of 32, the first in the low halves of 32 bytes, the second in the high. */
function writeK(
  view: DataView,
  at: number,
  quants: number,
  fifth: number | undefined,
  out: Float32Array,
  to: number,
): void {
  const [d, dm] = [scaleAt(view, at), scaleAt(view, at + 2)];
  for (let j = 0; j < 8; j++) {
    const [s, t] = groupScale(view, at + 4, j);
    const shift = j % 2 === 0 ? 0 : 4;
    for (let i = 0; i < 32; i++) {
      const low = (view.getUint8(quants + 32 * (j >> 1) + i) >> shift) & 15;
      const high = fifth === undefined ? 0 : ((view.getUint8(fifth + i) >> j) & 1) << 4;
      out[to + 32 * j + i] = d * s * (low | high) - dm * t;
    }
  }
}

function writeQ6K(view: DataView, at: number, out: Float32Array, to: number): void {
  const d = scaleAt(view, at + 208);
  for (let part = 0; part < 2; part++) {
    const [low, high, scales] = [at + 64 * part, at + 128 + 32 * part, at + 192 + 8 * part];
    for (let i = 0; i < 128; i++) {
      const quarter = i >> 5;
      const column = i & 31;
      const byte = view.getUint8(low + column + (quarter & 1) * 32);
      const q =
        ((quarter < 2 ? byte & 15 : byte >> 4) |
          (((view.getUint8(high + column) >> (2 * quarter)) & 3) << 4)) -
        32;
      out[to + 128 * part + i] = d * view.getInt8(scales + 2 * quarter + (column >> 4)) * q;
    }
  }
}

/** Every type that is read. */
export const BLOCKS: Readonly<Record<string, Block>> = {
  F64: { values: 1, bytes: 8 },
  F32: { values: 1, bytes: 4 },
  F16: { values: 1, bytes: 2 },
  BF16: { values: 1, bytes: 2 },
  I8: { values: 1, bytes: 1 },
  I16: { values: 1, bytes: 2 },
  I32: { values: 1, bytes: 4 },
  I64: { values: 1, bytes: 8 },
  Q4_0: {
    values: 32,
    bytes: 18,
    write(view, at, out, to) {
      const d = scaleAt(view, at);
      write32(view, at + 2, 0, d, -8 * d, out, to);
    },
  },
  Q4_1: {
    values: 32,
    bytes: 20,
    write: (view, at, out, to) => write32(view, at + 4, 0, scaleAt(view, at), scaleAt(view, at + 2), out, to),
  },
  Q5_0: {
    values: 32,
    bytes: 22,
    write(view, at, out, to) {
      const d = scaleAt(view, at);
      write32(view, at + 6, view.getUint32(at + 2, true), d, -16 * d, out, to);
    },
  },
  Q5_1: {
    values: 32,
    bytes: 24,
    write: (view, at, out, to) =>
      write32(view, at + 8, view.getUint32(at + 4, true), scaleAt(view, at), scaleAt(view, at + 2), out, to),
  },
  Q8_0: {
    values: 32,
    bytes: 34,
    write(view, at, out, to) {
      const d = scaleAt(view, at);
      for (let i = 0; i < 32; i++) out[to + i] = d * view.getInt8(at + 2 + i);
    },
  },
  Q4_K: {
    values: 256,
    bytes: 144,
    write: (view, at, out, to) => writeK(view, at, at + 16, undefined, out, to),
  },
  Q5_K: {
    values: 256,
    bytes: 176,
    write: (view, at, out, to) => writeK(view, at, at + 48, at + 16, out, to),
  },
  Q6_K: { values: 256, bytes: 210, write: writeQ6K },
};

/** The values of whole blocks of a type of `BLOCKS`. */
export function dequantize(dtype: string, bytes: Uint8Array): Float32Array {
  const { values, bytes: blockBytes, write } = BLOCKS[dtype]!;
  if (!write) return toFloat32("gguf", dtype, dtype, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks = bytes.length / blockBytes;
  const out = new Float32Array(blocks * values);
  for (let n = 0; n < blocks; n++) write(view, n * blockBytes, out, n * values);
  return out;
}
