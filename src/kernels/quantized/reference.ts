import { decodeBfloat16 } from "../../core/bfloat16.ts";
import { decodeHalf } from "../../core/float16.ts";
import { BLOCK, bodyPlace, FORMS, isQuantized, type PackedForm, type PackedRows } from "./forms.ts";

/**
 * Rows of a packed matrix [O, I] as floats, in plain loops: what the kernels are compared with, and what other backends
 * compute with.
 */
export function referenceUnpack(
  { form, words }: PackedRows,
  I: number,
  rows: Iterable<number>,
): Float32Array {
  const wanted = Array.from(rows);
  const out = new Float32Array(wanted.length * I);
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  for (const [n, row] of wanted.entries()) {
    for (let i = 0; i < I; i++) {
      out[n * I + i] = isQuantized(form)
        ? quantized(form, view, I, row, i)
        : ofBits(form, view.getUint16(2 * (row * I + i), true));
    }
  }
  return out;
}

const ofBits = (form: PackedForm, bits: number): number =>
  form === "Float16" ? decodeHalf(bits) : decodeBfloat16(Uint16Array.of(bits))[0]!;

/** One weight of a quantised form. */
function quantized(form: keyof typeof FORMS, view: DataView, I: number, row: number, column: number): number {
  const { rows, head, body, unit } = FORMS[form];
  const [lane, i] = [row % rows, column % BLOCK];
  const number = ((row - lane) / rows) * (I / BLOCK) + (column - i) / BLOCK;
  const block = number * (head + rows * body);
  const scale = (second: number) =>
    unit === 1
      ? view.getFloat32(block + 4 * (rows * second + lane), true)
      : decodeHalf(view.getUint16(block + 2 * (rows * second + lane), true));
  const at = (byte: number) => block + head + bodyPlace(form, lane, byte);
  const q =
    body === 16
      ? (view.getUint8(at(i % 16)) >> (i < 16 ? 0 : 4)) & 15
      : view.getInt8(at((i & 16) + ((i & 15) >> 1) + 8 * (i & 1)));
  switch (form) {
    case "Bytes":
      return scale(0) * q;
    case "Centred":
      return scale(0) * (q - 8);
    case "HalvesK":
      return scale(i < 16 ? 0 : 1) * q;
    default:
      return scale(0) * q + scale(1);
  }
}
