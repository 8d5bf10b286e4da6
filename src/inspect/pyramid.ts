import { checkCount } from "../core/check-options.ts";
import { OptionError } from "../core/errors.ts";
import { notAChoice } from "../core/faults.ts";
import { type AnyCells, type Cells, MASKED, maskedCells, NOT_FINITE, VALUE } from "./cells.ts";

/**
 * How cells become one: `max` the largest, so that no hot cell is lost; `mean` that of the visible ones; `maxAbs` the
 * one furthest from 0, with its sign, for signed maps.
 */
export const REDUCTIONS = ["max", "mean", "maxAbs"] as const;
export type Reduction = (typeof REDUCTIONS)[number];

/** Throws CHOICE unless there is such a reduction. */
export function checkReduction(op: string, reduction: Reduction): void {
  if (REDUCTIONS.includes(reduction)) return;
  throw new OptionError("OPTION", notAChoice({ op, name: "reduction", choices: REDUCTIONS, got: reduction }));
}

/** So many rows and columns of cells become one. */
export type Factors = readonly [down: number, across: number];

/**
 * Blocks of `down` × `across` cells, each made one while rows arrive. A block is masked only when all of it is, and
 * not finite when any of it is; blocks at the end may be smaller.
 */
export class Pool<Values extends Float32Array | Float64Array = Float32Array> {
  readonly cells: Cells<Values>;
  readonly #down: number;
  readonly #across: number;
  readonly #reduction: Reduction;
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;

  /** @param empty room for the cells: float32 or float64 */
  constructor(empty: Cells<Values>, [down, across]: Factors, reduction: Reduction) {
    this.cells = empty;
    this.#down = down;
    this.#across = across;
    this.#reduction = reduction;
    const means = reduction === "mean" ? this.cells.values.length : 0;
    this.#sums = new Float64Array(means);
    this.#counts = new Float64Array(means);
  }

  /**
   * Takes columns [begin, end) of row `row` of the unpooled cells, which stand at `at` in the arrays; the row's others
   * are masked.
   */
  add(row: number, begin: number, end: number, { values, kinds }: AnyCells, at: number): void {
    const across = this.#across;
    const start = Math.floor(row / this.#down) * this.cells.columns;
    for (let column = begin; column < end; ) {
      const x = Math.floor(column / across);
      const stop = Math.min(end, (x + 1) * across);
      this.#addRun(start + x, values, kinds, at + column - begin, at + stop - begin);
      column = stop;
    }
  }

  /**
   * Takes columns from `begin` of row `row`, all of them visible, for `max` alone: the loop has nothing else in it, as
   * every picture of a large map is made by it. Says false where one was not finite, and all must be taken by `add`.
   */
  addVisible(row: number, begin: number, weights: Float32Array): boolean {
    const { values, kinds, columns } = this.cells;
    const across = this.#across;
    const start = Math.floor(row / this.#down) * columns;
    let nothing = 0;
    for (let e = 0; e < weights.length; ) {
      const x = Math.floor((begin + e) / across);
      const stop = Math.min(weights.length, (x + 1) * across - begin);
      let best = -Infinity;
      for (; e < stop; e++) {
        const weight = weights[e]!;
        if (weight > best) best = weight;
        nothing += weight - weight;
      }
      const at = start + x;
      if (kinds[at] === MASKED || (kinds[at] === VALUE && best > values[at]!)) {
        values[at] = best;
        kinds[at] = VALUE;
      }
    }
    return nothing === 0;
  }

  /** Takes neighbours that belong to one block. */
  #addRun(to: number, values: AnyCells["values"], kinds: Uint8Array, begin: number, end: number): void {
    const pooled = this.cells;
    const reduction = this.#reduction;
    let count = 0;
    let sum = 0;
    let best = 0;
    for (let e = begin; e < end; e++) {
      const kind = kinds[e];
      if (kind === MASKED) continue;
      if (kind === NOT_FINITE) pooled.kinds[to] = NOT_FINITE;
      const value = values[e]!;
      if (count === 0 || (reduction === "maxAbs" ? Math.abs(value) > Math.abs(best) : value > best))
        best = value;
      sum += value;
      count++;
    }
    if (pooled.kinds[to] === NOT_FINITE) pooled.values[to] = 0;
    if (count === 0 || pooled.kinds[to] === NOT_FINITE) return;
    const old = pooled.values[to]!;
    if (reduction === "mean") {
      this.#sums[to]! += sum;
      this.#counts[to]! += count;
      pooled.values[to] = this.#sums[to]! / this.#counts[to]!;
    } else if (
      pooled.kinds[to] === MASKED ||
      (reduction === "max" ? best > old : Math.abs(best) > Math.abs(old))
    )
      pooled.values[to] = best;
    pooled.kinds[to] = VALUE;
  }
}

/**
 * Cells made fewer by a whole factor.
 *
 * @throws OptionError OPTION
 * @example
 * const cells = { rows: 1, columns: 3, values: Float32Array.of(0.5, 0.25, 0), kinds: Uint8Array.of(0, 0, 1) };
 * pool(cells, 2, "mean").values; // Float32Array [0.375, 0]
 */
export function pool(cells: Cells, factor: number, reduction: Reduction = "max"): Cells {
  checkCount("pool", "factor", factor);
  checkReduction("pool", reduction);
  const room = maskedCells(Math.ceil(cells.rows / factor), Math.ceil(cells.columns / factor));
  return poolInto(room, cells, [factor, factor], reduction);
}

/** Pools all cells into room that is as large as they become. */
export function poolInto<Values extends Float32Array | Float64Array>(
  room: Cells<Values>,
  cells: AnyCells,
  factors: Factors,
  reduction: Reduction,
): Cells<Values> {
  const pooled = new Pool(room, factors, reduction);
  for (let row = 0; row < cells.rows; row++) pooled.add(row, 0, cells.columns, cells, row * cells.columns);
  return pooled.cells;
}

/**
 * The cells, and each level of half the size down to one cell. Level n shows blocks of 2ⁿ × 2ⁿ cells.
 *
 * Cost: 4/3 of one pass for `max` and `maxAbs`; `mean`, where blocks have unequal numbers of visible cells, starts
 * from the cells at every level.
 *
 * @example
 * const cells = { rows: 1, columns: 3, values: Float32Array.of(0.5, 0.25, 0.125), kinds: new Uint8Array(3) };
 * pyramid(cells).map(({ columns }) => columns); // [3, 2, 1]
 */
export function pyramid(cells: Cells, reduction: Reduction = "max"): Cells[] {
  const levels = [cells];
  for (let factor = 2; ; factor *= 2) {
    const { rows, columns } = levels.at(-1)!;
    if (Math.max(rows, columns) <= 1) return levels;
    levels.push(reduction === "mean" ? pool(cells, factor, "mean") : pool(levels.at(-1)!, 2, reduction));
  }
}
