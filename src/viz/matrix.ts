import { OptionError, ShapeError } from "../core/errors.ts";

/** A matrix as one flat array in row order, or as an array of rows. */
export type Cells<T> = ArrayLike<T> | ArrayLike<ArrayLike<T>>;

/** What a heat map shows: the weights, and a token for every row and column. */
export interface HeatmapData {
  /** T × S attention weights; row t says where output t looks. */
  readonly weights: Cells<number>;
  /** The T output tokens (queries). */
  readonly rowTokens: readonly string[];
  /** The S input tokens (keys). */
  readonly columnTokens: readonly string[];
  /** T × S; true or 1 = *may attend*, as everywhere in heed. What may not is drawn as masked, whatever its weight. */
  readonly mask?: Cells<boolean | number>;
}

/** What a cell is: a weight, masked, or a weight that is not a finite number. */
export const VALUE = 0;
export const MASKED = 1;
export const NOT_FINITE = 2;

/** Validated cells. The kind of a cell is a channel of its own, so a masked cell can never be taken for zero. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major weights; 0 where `kinds` is not VALUE. */
  readonly values: Float64Array;
  /** VALUE, MASKED or NOT_FINITE for each cell. */
  readonly kinds: Uint8Array;
}

export function isNested<T>(cells: Cells<T>): cells is ArrayLike<ArrayLike<T>> {
  return typeof cells[0] === "object" && cells[0] !== null;
}

function shapeOf(cells: Cells<unknown>): string {
  if (!isNested(cells)) return `${cells.length} numbers`;
  const widths = new Set(Array.from(cells, (row) => row.length));
  return `${cells.length} rows of ${[...widths].sort((a, b) => a - b).join(" or ")} columns`;
}

function reader<T>(op: string, name: string, cells: Cells<T>, rows: number, columns: number) {
  const nested = isNested(cells);
  const good = nested
    ? cells.length === rows && Array.from(cells).every((row) => row.length === columns)
    : cells.length === rows * columns;
  if (!good) throw new ShapeError("MATRIX_SIZE", { op, name, rows, columns, got: shapeOf(cells) });
  return nested
    ? (i: number, j: number) => cells[i]![j]!
    : (i: number, j: number) => (cells as ArrayLike<T>)[i * columns + j]!;
}

/**
 * Reads and checks heat map data.
 *
 * @throws ShapeError `MATRIX_SIZE` when weights or mask do not fit the tokens; OptionError `MATRIX_EMPTY`.
 */
export function toMatrix(op: string, data: HeatmapData): Matrix {
  const rows = data.rowTokens.length;
  const columns = data.columnTokens.length;
  if (rows === 0 || columns === 0) throw new OptionError("MATRIX_EMPTY", { op, rows, columns });
  const weight = reader(op, "weights", data.weights, rows, columns);
  const mayAttend = data.mask && reader(op, "mask", data.mask, rows, columns);
  const values = new Float64Array(rows * columns);
  const kinds = new Uint8Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const cell = i * columns + j;
      const value = weight(i, j);
      if (mayAttend && !mayAttend(i, j)) kinds[cell] = MASKED;
      else if (!Number.isFinite(value)) kinds[cell] = NOT_FINITE;
      else values[cell] = value;
    }
  return { rows, columns, values, kinds };
}

/** A matrix made smaller, and by how much. */
export interface Pooled extends Matrix {
  /** Source rows and columns in one pooled cell (the last block may hold fewer). */
  readonly rowFactor: number;
  readonly columnFactor: number;
}

/**
 * Max-pools to at most `maxRows` × `maxColumns`: a block shows its largest weight, so no hot cell is lost. A block
 * is masked only when all of it is, and not finite when any of it is.
 */
export function maxPool(matrix: Matrix, maxRows: number, maxColumns: number): Pooled {
  const rowFactor = Math.ceil(matrix.rows / maxRows);
  const columnFactor = Math.ceil(matrix.columns / maxColumns);
  if (rowFactor === 1 && columnFactor === 1) return { ...matrix, rowFactor, columnFactor };
  const rows = Math.ceil(matrix.rows / rowFactor);
  const columns = Math.ceil(matrix.columns / columnFactor);
  const values = new Float64Array(rows * columns);
  const kinds = new Uint8Array(rows * columns).fill(MASKED);
  for (let i = 0; i < matrix.rows; i++)
    for (let j = 0; j < matrix.columns; j++) {
      const from = i * matrix.columns + j;
      const to = Math.floor(i / rowFactor) * columns + Math.floor(j / columnFactor);
      const kind = matrix.kinds[from];
      if (kind === NOT_FINITE || kinds[to] === NOT_FINITE) {
        kinds[to] = NOT_FINITE;
        values[to] = 0;
      } else if (kind === VALUE) {
        const value = matrix.values[from]!;
        if (kinds[to] === MASKED || value > values[to]!) values[to] = value;
        kinds[to] = VALUE;
      }
    }
  return { rows, columns, values, kinds, rowFactor, columnFactor };
}

/** `pooled 4×`, `pooled 2× down and 4× across`, or nothing when every cell is itself. */
export function poolingNote({ rowFactor, columnFactor }: Pooled): string | undefined {
  if (rowFactor === 1 && columnFactor === 1) return undefined;
  if (rowFactor === columnFactor) return `pooled ${rowFactor}×`;
  if (rowFactor === 1) return `pooled ${columnFactor}× across`;
  if (columnFactor === 1) return `pooled ${rowFactor}× down`;
  return `pooled ${rowFactor}× down and ${columnFactor}× across`;
}

/** The names of pooled blocks of `factor` tokens: `first…last`. */
export function blockTokens(tokens: readonly string[], factor: number): readonly string[] {
  if (factor === 1) return tokens;
  return Array.from({ length: Math.ceil(tokens.length / factor) }, (_, block) => {
    const first = block * factor;
    const last = Math.min(first + factor, tokens.length) - 1;
    return first === last ? tokens[first]! : `${tokens[first]}…${tokens[last]}`;
  });
}
