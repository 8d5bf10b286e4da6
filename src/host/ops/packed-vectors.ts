import {
  BLOCK,
  FORMS,
  isQuantized,
  isSpread,
  type PackedForm,
  packedBytes,
} from "../../kernels/quantized/forms.ts";
import type { Heap } from "../heap.ts";

/** Rows of x that are multiplied one by one: reading the weights once costs more than the products of so many. */
export const MOST_VECTORS = 6;
/** Bytes of weights that stay in the cache while all vectors pass over them. */
const TILE_BYTES = 2 ** 17;

/** A packed matrix [O, I] on the heap. */
export interface PlacedMatrix {
  readonly words: number;
  readonly form: PackedForm;
  readonly O: number;
}

/** Bytes of a row of I numbers as the kernels of a form read it. */
export function vectorBytes(heap: Heap, form: PackedForm, I: number): number {
  return isQuantized(form) ? Math.ceil(heap.kernels.vectorBytes!(I) / 16) * 16 : 4 * I;
}

/** Whether the kernels of two forms read the same of x. */
function isLike(a: PackedForm, b: PackedForm): boolean {
  if (a === b) return true;
  return isQuantized(a) && isQuantized(b) && FORMS[a].unit === FORMS[b].unit && isSpread(a) === isSpread(b);
}

/** T rows of I floats as the kernels of a form read them, made when they are needed and kept for the next matrix of a like form. */
export class PackedVectors {
  readonly #heap: Heap;
  readonly #x: number;
  readonly #T: number;
  readonly #I: number;
  readonly #room: (bytes: number) => number;
  #form: PackedForm | undefined;
  #address = 0;

  /**
   * @param x the address of the rows
   * @param room where so many bytes are free until the last product
   */
  constructor(heap: Heap, x: number, [T, I]: readonly [number, number], room: (bytes: number) => number) {
    this.#heap = heap;
    this.#x = x;
    this.#T = T;
    this.#I = I;
    this.#room = room;
  }

  /** Every row of x with every row of a matrix: [T, O] at `out`. What `room` gives must not be asked of it meanwhile. */
  times({ words, form, O }: PlacedMatrix, out: number): void {
    const [T, I] = [this.#T, this.#I];
    const bytes = this.#prepare(form);
    const rows = isQuantized(form) ? FORMS[form].rows : 4;
    const row = packedBytes(form, [rows, I]) / rows;
    const tile = T === 1 ? O : rows * Math.max(1, Math.floor(TILE_BYTES / (rows * row)));
    const multiplyRows = this.#heap.kernels[`rows${form}`]!;
    const columns = isQuantized(form) ? I / BLOCK : I;
    for (let first = 0; first < O; first += tile) {
      const count = Math.min(tile, O - first);
      for (let t = 0; t < T; t++) {
        const to = out + 4 * (t * O + first);
        multiplyRows(words + first * row, this.#address + t * bytes, to, count, columns);
      }
    }
  }

  /** Gives the bytes of a row. */
  #prepare(form: PackedForm): number {
    const { kernels } = this.#heap;
    const [T, I, before] = [this.#T, this.#I, this.#form];
    const bytes = vectorBytes(this.#heap, form, I);
    if (before && isLike(before, form)) return bytes;
    this.#form = form;
    this.#address = this.#room(Math.max(1, T) * bytes);
    for (let t = 0; t < T; t++) {
      const [source, target] = [this.#x + 4 * t * I, this.#address + t * bytes];
      if (isQuantized(form))
        kernels.quantizeVector!(source, target, I, FORMS[form].unit, Number(isSpread(form)));
      else kernels[`spread${form}`]!(source, target, I);
    }
    return bytes;
  }
}
