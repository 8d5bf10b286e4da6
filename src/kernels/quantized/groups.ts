/**
 * Blocks of ggml whose scales are products, or whose weights have five or six bits, as groups of small integers with scales in
 * float32: what the products of their scales are, exactly.
 *
 *     Q4_K Q5_K   8 groups of 32: w = (d·s)·q − dm·t     Q5_0 Q5_1   1 group: w = d·q + m     Q6_K   16 groups of 16: w = (d·s)·q
 */
import { decodeHalf } from "../../core/float16.ts";

/** Where the groups of a block go. */
export interface Groups {
  /** Of the block's weights. */
  readonly q: Int8Array;
  readonly d: Float32Array;
  /** Of forms that have one. */
  readonly m: Float32Array;
}

export interface GroupedType {
  /** Of a block in the file. */
  readonly bytes: number;
  readonly values: number;
  read(block: DataView, at: number, groups: Groups): void;
}

const half = (view: DataView, at: number) => decodeHalf(view.getUint16(at, true));

/** Scale and minimum of group j of 8, 6 bits each, in 12 bytes. */
function sixBits(view: DataView, at: number, j: number): [s: number, t: number] {
  const byte = (n: number) => view.getUint8(at + n);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

const withMinima = (bytes: number, quants: number, fifth: number | undefined): GroupedType => ({
  bytes,
  values: 256,
  read(view, at, { q, d, m }) {
    const [scale, minimum] = [half(view, at), half(view, at + 2)];
    for (let j = 0; j < 8; j++) {
      const [s, t] = sixBits(view, at + 4, j);
      d[j] = scale * s;
      m[j] = -minimum * t;
      const shift = 4 * (j & 1);
      for (let i = 0; i < 32; i++) {
        const low = (view.getUint8(at + quants + 32 * (j >> 1) + i) >> shift) & 15;
        const high = fifth === undefined ? 0 : (view.getUint8(at + fifth + i) >> j) & 1;
        q[32 * j + i] = low | (high << 4);
      }
    }
  },
});

/** @param offset what is taken from every q, where the block has no minimum of its own */
const ofFiveBits = (bytes: number, offset: number): GroupedType => ({
  bytes,
  values: 32,
  read(view, at, { q, d, m }) {
    const start = at + bytes - 20;
    const high = view.getUint32(start, true);
    d[0] = half(view, at);
    m[0] = offset === 0 ? half(view, at + 2) : 0;
    for (let i = 0; i < 16; i++) {
      const byte = view.getUint8(start + 4 + i);
      q[i] = ((byte & 15) | (((high >>> i) & 1) << 4)) - offset;
      q[i + 16] = ((byte >> 4) | (((high >>> (i + 16)) & 1) << 4)) - offset;
    }
  },
});

const sixBitWeights: GroupedType = {
  bytes: 210,
  values: 256,
  read(view, at, { q, d }) {
    const scale = half(view, at + 208);
    for (let group = 0; group < 16; group++) d[group] = scale * view.getInt8(at + 192 + group);
    for (let n = 0; n < 256; n++) {
      const [part, quarter, column] = [n >> 7, (n >> 5) & 3, n & 31];
      const byte = view.getUint8(at + 64 * part + column + 32 * (quarter & 1));
      const high = (view.getUint8(at + 128 + 32 * part + column) >> (2 * quarter)) & 3;
      q[n] = ((quarter < 2 ? byte & 15 : byte >> 4) | (high << 4)) - 32;
    }
  },
};

export const GROUPED: Readonly<Record<string, GroupedType>> = {
  Q4_K: withMinima(144, 16, undefined),
  Q5_K: withMinima(176, 48, 16),
  Q5_0: ofFiveBits(22, 16),
  Q5_1: ofFiveBits(24, 0),
  Q6_K: sixBitWeights,
};
