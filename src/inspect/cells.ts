/** What a cell is: a weight, a key hidden from its query, or something that is not a finite number. */
export const VALUE = 0;
export const MASKED = 1;
export const NOT_FINITE = 2;

/**
 * Part of a map, row-major. The kind of a cell is a channel of its own, so a hidden key can never be taken for a
 * weight of zero.
 */
export interface Cells<Values extends Float32Array | Float64Array = Float32Array> {
  readonly rows: number;
  readonly columns: number;
  /** 0 where `kinds` is not VALUE. */
  readonly values: Values;
  /** VALUE, MASKED or NOT_FINITE for each cell. */
  readonly kinds: Uint8Array;
}

/** Cells of either precision: maps have float32, what a page passes as plain numbers keeps all its digits. */
export type AnyCells = Cells<Float32Array | Float64Array>;

/** Room for so many cells, all of them masked. */
export function maskedCells(rows: number, columns: number): Cells {
  const size = rows * columns;
  return { rows, columns, values: new Float32Array(size), kinds: new Uint8Array(size).fill(MASKED) };
}
