import { OptionError, ShapeError } from "../core/errors.ts";
import { type AnyCells, MASKED, maskedCells, NOT_FINITE } from "../inspect/cells.ts";
import { poolInto } from "../inspect/pyramid.ts";

/** A matrix as one flat array in row order, or as an array of rows. */
export type Numbers<T = number> = ArrayLike<T> | ArrayLike<ArrayLike<T>>;

/** What a heat map shows: the weights, and a token for every row and column. */
export interface HeatmapData {
  /** T × S attention weights, or the cells of a map; row t says where output t looks. */
  readonly weights: Numbers | AnyCells;
  /** The T output tokens (queries). */
  readonly rowTokens: readonly string[];
  /** The S input tokens (keys). */
  readonly columnTokens: readonly string[];
  /** T × S; true or 1 = *may attend*, as everywhere in heed. What may not is drawn as masked, whatever its weight. */
  readonly mask?: Numbers<boolean | number>;
}

const isCells = (weights: Numbers | AnyCells): weights is AnyCells => "kinds" in weights;

export function isNested<T>(numbers: Numbers<T>): numbers is ArrayLike<ArrayLike<T>> {
  return typeof numbers[0] === "object" && numbers[0] !== null;
}

function shapeOf(numbers: Numbers<unknown>): string {
  if (!isNested(numbers)) return `${numbers.length} numbers`;
  const widths = new Set(Array.from(numbers, (row) => row.length));
  return `${numbers.length} rows of ${[...widths].sort((a, b) => a - b).join(" or ")} columns`;
}

function refuseSize(op: string, name: string, rows: number, columns: number, got: string): never {
  const rule = `${name} must have ${rows} rows (rowTokens) of ${columns} columns (columnTokens)`;
  const remedy = "pass one token for every row and every column";
  throw new ShapeError("SHAPE", { op, rule, got, remedy, name, rows, columns });
}

function reader<T>(op: string, name: string, numbers: Numbers<T>, rows: number, columns: number) {
  const nested = isNested(numbers);
  const good = nested
    ? numbers.length === rows && Array.from(numbers).every((row) => row.length === columns)
    : numbers.length === rows * columns;
  if (!good) refuseSize(op, name, rows, columns, shapeOf(numbers));
  return nested
    ? (i: number, j: number) => numbers[i]![j]!
    : (i: number, j: number) => (numbers as ArrayLike<T>)[i * columns + j]!;
}

/** Throws: a picture needs a row and a column. */
export function refuseEmpty(op: string, rows: number, columns: number): never {
  const rule = "a heat map must have at least one row and one column";
  const got = `${rows} rows and ${columns} columns`;
  throw new OptionError("OPTION", {
    op,
    rule,
    got,
    remedy: "pass at least one token on each side",
    rows,
    columns,
  });
}

function checkText(op: string, name: string, tokens: readonly unknown[]): void {
  const wrong = Array.from(tokens).findIndex((token) => typeof token !== "string");
  if (wrong < 0) return;
  const got = `${tokens[wrong] === null ? "null" : typeof tokens[wrong]} at ${wrong}`;
  const remedy = "pass String(token)";
  throw new OptionError("OPTION", { op, rule: `${name} must be a list of texts`, got, remedy });
}

/**
 * Heat map data as checked cells; those of a map are taken as they are.
 *
 * @throws ShapeError SHAPE when weights or mask do not fit the tokens · OptionError OPTION without a row or a column, or where
 *   a token is no text
 */
export function cellsOf(op: string, { weights, mask, rowTokens, columnTokens }: HeatmapData): AnyCells {
  for (const [name, tokens] of Object.entries({ rowTokens, columnTokens })) checkText(op, name, tokens);
  const [rows, columns] = [rowTokens.length, columnTokens.length];
  if (rows === 0 || columns === 0) refuseEmpty(op, rows, columns);
  const mayAttend = mask && reader(op, "mask", mask, rows, columns);
  if (isCells(weights)) {
    if (weights.rows !== rows || weights.columns !== columns)
      refuseSize(op, "weights", rows, columns, `${weights.rows} rows of ${weights.columns} columns`);
    if (!mayAttend) return weights;
  }
  const weight = isCells(weights) ? undefined : reader(op, "weights", weights, rows, columns);
  const values = new Float64Array(rows * columns);
  const kinds = new Uint8Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const cell = i * columns + j;
      const value = weight ? weight(i, j) : (weights as AnyCells).values[cell]!;
      if (mayAttend && !mayAttend(i, j)) kinds[cell] = MASKED;
      else if (!weight && (weights as AnyCells).kinds[cell]) kinds[cell] = (weights as AnyCells).kinds[cell]!;
      else if (!Number.isFinite(value)) kinds[cell] = NOT_FINITE;
      else values[cell] = value;
    }
  return { rows, columns, values, kinds };
}

/** A map without words, for pictures that name none of its rows and columns. */
export function wordlessCells(op: string, weights: Numbers | AnyCells): AnyCells {
  if (isCells(weights)) return weights;
  const rows = isNested(weights) ? Array.from(weights) : [weights];
  const blank = (n: number) => new Array<string>(n).fill("");
  return cellsOf(op, {
    weights: rows,
    rowTokens: blank(rows.length),
    columnTokens: blank(rows[0]!.length),
  });
}

/** Cells made fewer, and by how much. */
export type Pooled = AnyCells & {
  /** Source rows and columns in one pooled cell (the last block may hold fewer). */
  readonly rowFactor: number;
  readonly columnFactor: number;
};

/** Max-pooled to at most `maxRows` × `maxColumns`: a block shows its largest weight, so no hot cell is lost. */
export function fitCells(cells: AnyCells, maxRows: number, maxColumns: number): Pooled {
  const rowFactor = Math.ceil(cells.rows / maxRows);
  const columnFactor = Math.ceil(cells.columns / maxColumns);
  if (rowFactor * columnFactor === 1) return { ...cells, rowFactor, columnFactor };
  const room = maskedCells(Math.ceil(cells.rows / rowFactor), Math.ceil(cells.columns / columnFactor));
  const exact = { ...room, values: new Float64Array(room.values) };
  return { ...poolInto(exact, cells, [rowFactor, columnFactor], "max"), rowFactor, columnFactor };
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
