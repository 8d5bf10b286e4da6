/**
 * How matrices that stay as a file has them lie in memory. Quantised ones: four rows side by side, in blocks of 32 columns
 * (assembly/quantized/forms.ts); those of 16 bits: row after row.
 */

export type QuantizedForm = "Nibbles" | "Centred" | "NibblesK" | "Bytes" | "BytesK" | "HalvesK";
export type PackedForm = QuantizedForm | "Float16" | "Bfloat16";

interface Sizes {
  /** Bytes of a block's scales, of four rows. */
  readonly head: number;
  /** Bytes of a block's weights, of one row. */
  readonly body: number;
  /** What the scales of x are multiplied with: a float16 read as a word is 2⁻¹¹² times its number. */
  readonly unit: number;
}

export const BLOCK = 32;
export const ROWS = 4;
const SHORT = 2 ** 112;

export const FORMS: Readonly<Record<QuantizedForm, Sizes>> = {
  Nibbles: { head: 16, body: 16, unit: SHORT },
  Centred: { head: 8, body: 16, unit: SHORT },
  NibblesK: { head: 32, body: 16, unit: 1 },
  Bytes: { head: 8, body: 32, unit: SHORT },
  BytesK: { head: 32, body: 32, unit: 1 },
  HalvesK: { head: 32, body: 32, unit: 1 },
};

/** A matrix [O, I] in one of these forms. */
export interface PackedRows {
  readonly form: PackedForm;
  readonly words: Int32Array;
}

export const isQuantized = (form: PackedForm): form is QuantizedForm => form in FORMS;

/** I of a matrix in this form is a multiple of it. */
export const columnsOf = (form: PackedForm): number => (isQuantized(form) ? BLOCK : 8);

/** Bytes of a matrix [O, I]. */
export function packedBytes(form: PackedForm, [O, I]: readonly [number, number]): number {
  if (!isQuantized(form)) return 2 * O * I;
  const { head, body } = FORMS[form];
  return Math.ceil(O / ROWS) * (I / BLOCK) * (head + ROWS * body);
}
