/**
 * How matrices that stay as a file has them lie in memory. Quantised ones: some rows side by side, in blocks of 32 columns
 * (assembly/quantized/forms.ts); those of 16 bits: row after row.
 */

export type QuantizedForm = "Nibbles" | "Centred" | "NibblesK" | "Bytes" | "BytesK" | "HalvesK";
export type PackedForm = QuantizedForm | "Float16" | "Bfloat16";

interface Sizes {
  /** Rows side by side. */
  readonly rows: number;
  /** Bytes of a block's scales, of all its rows. */
  readonly head: number;
  /** Bytes of a block's weights, of one row. */
  readonly body: number;
  /**
   * What the scales of x are multiplied with: a float16 read as a word is 2⁻¹¹² times its number. The kernels multiply their sums
   * with the rest, so that the numbers of x may be large.
   */
  readonly unit: number;
}

export const BLOCK = 32;
const SHORT = 2 ** 88;

export const FORMS: Readonly<Record<QuantizedForm, Sizes>> = {
  Nibbles: { rows: 8, head: 32, body: 16, unit: SHORT },
  Centred: { rows: 8, head: 16, body: 16, unit: SHORT },
  NibblesK: { rows: 8, head: 64, body: 16, unit: 1 },
  Bytes: { rows: 4, head: 8, body: 32, unit: SHORT },
  BytesK: { rows: 4, head: 32, body: 32, unit: 1 },
  HalvesK: { rows: 4, head: 32, body: 32, unit: 1 },
};

/** A matrix [O, I] in one of these forms. */
export interface PackedRows {
  readonly form: PackedForm;
  readonly words: Int32Array;
}

export const isQuantized = (form: PackedForm): form is QuantizedForm => form in FORMS;

/** I of a matrix in this form is a multiple of it. */
export const columnsOf = (form: PackedForm): number => (isQuantized(form) ? BLOCK : 8);

/** Whether a weight has 4 bits, and a vector stands in every lane (assembly/quantized/vector.ts). */
export const isSpread = (form: QuantizedForm): boolean => FORMS[form].body < BLOCK;

/** Where byte i of a row's weights stands behind the scales of its block: in fours beside those of the other rows, or row after row. */
export function bodyPlace(form: QuantizedForm, lane: number, i: number): number {
  const { rows, body } = FORMS[form];
  return isSpread(form) ? 4 * rows * (i >> 2) + 4 * lane + (i & 3) : lane * body + i;
}

/** Bytes of a matrix [O, I]. */
export function packedBytes(form: PackedForm, [O, I]: readonly [number, number]): number {
  if (!isQuantized(form)) return 2 * O * I;
  const { rows, head, body } = FORMS[form];
  return Math.ceil(O / rows) * (I / BLOCK) * (head + rows * body);
}
