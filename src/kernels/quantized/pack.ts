import { BLOCK, bodyPlace, FORMS, type PackedRows, packedBytes, type QuantizedForm } from "./forms.ts";
import { GROUPED, type Groups } from "./groups.ts";

/** The form of each type of ggml. Five bits take eight here, and six: the kernels read bytes faster than bits. */
const FORM_OF: Readonly<Record<string, QuantizedForm>> = {
  Q4_0: "Centred",
  Q4_1: "Nibbles",
  Q8_0: "Bytes",
  Q4_K: "NibblesK",
  Q5_0: "BytesK",
  Q5_1: "BytesK",
  Q5_K: "BytesK",
  Q6_K: "HalvesK",
};

/** Of types whose blocks have 32 weights behind one or two float16. */
const SIMPLE: Readonly<Record<string, { bytes: number; scales: number }>> = {
  Q4_0: { bytes: 18, scales: 1 },
  Q4_1: { bytes: 20, scales: 2 },
  Q8_0: { bytes: 34, scales: 1 },
};

/** Types of ggml that stay quantised. */
export const PACKED_TYPES: readonly string[] = Object.keys(FORM_OF);

/**
 * A matrix [O, I] of ggml's blocks in the form that the kernels multiply; nothing is rounded.
 *
 * @returns undefined where a scale is not finite, or I is no multiple of 32
 */
export function packBlocks(
  type: string,
  bytes: Uint8Array,
  [O, I]: readonly [number, number],
): PackedRows | undefined {
  const form = FORM_OF[type];
  if (!form || I % BLOCK !== 0) return undefined;
  const words = new Int32Array(packedBytes(form, [O, I]) / 4);
  const out = new DataView(words.buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isWhole = SIMPLE[type] ? packSimple(type, view, out, O, I) : packGroups(type, view, out, O, I);
  return isWhole ? { form, words } : undefined;
}

/** The order of 16 weights of 8 bits: those of even places, then those of odd ones. */
const place = (i: number): number => (i & 16) + ((i & 15) >> 1) + 8 * (i & 1);

/** Where the bytes of a row stand behind the scales of its block. */
function placesOf(form: QuantizedForm, lane: number): number[] {
  const { body } = FORMS[form];
  return Array.from({ length: body }, (_, i) => bodyPlace(form, lane, body === BLOCK ? place(i) : i));
}

function packSimple(type: string, view: DataView, out: DataView, O: number, I: number): boolean {
  const { bytes, scales } = SIMPLE[type]!;
  const form = FORM_OF[type]!;
  const { rows, head, body } = FORMS[form];
  const blocks = I / BLOCK;
  const size = head + rows * body;
  const from = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const to = new Uint8Array(out.buffer);
  const places = Array.from({ length: rows }, (_, lane) => placesOf(form, lane));
  let at = 0;
  for (let row = 0; row < O; row++) {
    const lane = row % rows;
    const own = places[lane]!;
    let block = ((row - lane) / rows) * blocks * size;
    for (let n = 0; n < blocks; n++) {
      for (let k = 0; k < scales; k++) {
        const scale = view.getUint16(at + 2 * k, true);
        if ((scale & 0x7c00) === 0x7c00) return false;
        out.setUint16(block + 2 * (rows * k + lane), scale, true);
      }
      const [source, target] = [at + 2 * scales, block + head];
      for (let i = 0; i < body; i++) to[target + own[i]!] = from[source + i]!;
      at += bytes;
      block += size;
    }
  }
  return true;
}

function packGroups(type: string, view: DataView, out: DataView, O: number, I: number): boolean {
  const { bytes, values, read } = GROUPED[type]!;
  const form = FORM_OF[type]!;
  const { rows, head, body } = FORMS[form];
  const size = head + rows * body;
  const places = Array.from({ length: rows }, (_, lane) => placesOf(form, lane));
  const groups: Groups = { q: new Int8Array(values), d: new Float32Array(16), m: new Float32Array(16) };
  let at = 0;
  for (let row = 0; row < O; row++) {
    const lane = row % rows;
    let block = (((row - lane) / rows) * I * size) / BLOCK;
    for (let column = 0; column < I; column += values) {
      read(view, at, groups);
      for (let n = 0; n < values / BLOCK; n++) {
        // Groups of 16 come in twos: the scales of both.
        const [d, m] =
          form === "HalvesK" ? [groups.d[2 * n]!, groups.d[2 * n + 1]!] : [groups.d[n]!, groups.m[n]!];
        if (!Number.isFinite(d) || !Number.isFinite(m)) return false;
        out.setFloat32(block + 4 * lane, d, true);
        out.setFloat32(block + 4 * (rows + lane), m, true);
        writeWeights(groups.q.subarray(BLOCK * n), out, block + head, places[lane]!);
        block += size;
      }
      at += bytes;
    }
  }
  return true;
}

/** 32 weights: in 16 places two each, in 32 one. */
function writeWeights(q: Int8Array, out: DataView, to: number, places: readonly number[]): void {
  for (const [i, at] of places.entries()) {
    if (places.length < BLOCK) out.setUint8(to + at, q[i]! | (q[i + 16]! << 4));
    else out.setInt8(to + at, q[i]!);
  }
}
