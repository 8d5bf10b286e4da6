import { type AnyCells, MASKED, NOT_FINITE, VALUE } from "../inspect/cells.ts";
import { type HeatmapData, isNested } from "./data.ts";
import { visible } from "./text.ts";
import { truncate } from "./width.ts";

/** How far a row's sum may be from 1 and still be rounding: float16 weights of a few hundred keys stay within it. */
const SUM_TOLERANCE = 1e-3;

const LONGEST_QUOTE = 32;

const shorten = (token: string) => truncate(visible(token), LONGEST_QUOTE);

/**
 * What a reader should know before trusting the picture, one sentence each: rows that are no distributions, and
 * weights that are not finite. A row that is masked throughout has nothing to attend to, and is in order.
 */
export function warnings(op: string, matrix: AnyCells, data: HeatmapData): string[] {
  return [distributionWarning(op, matrix, data.rowTokens), finiteWarning(op, matrix, data.weights)].filter(
    (warning) => warning !== undefined,
  );
}

function distributionWarning(op: string, matrix: AnyCells, rowTokens: readonly string[]): string | undefined {
  const faults: { row: number; fault: string }[] = [];
  for (let row = 0; row < matrix.rows; row++) {
    const fault = rowFault(matrix, row);
    if (fault) faults.push({ row, fault });
  }
  const first = faults[0];
  if (!first) return undefined;
  const others = faults.length - 1;
  const rest = others > 0 ? ` and ${others} more such row${others > 1 ? "s" : ""}` : "";
  return (
    `${op}: every row of weights must be a distribution (nothing negative, sum 1 within 0.001), got row ${first.row} ` +
    `“${shorten(rowTokens[first.row]!)}” with ${first.fault}${rest}; the colours are still exact, but do not read them ` +
    "as shares of attention"
  );
}

function rowFault(matrix: AnyCells, row: number): string | undefined {
  let sum = 0;
  let least = 0;
  let values = 0;
  for (let cell = row * matrix.columns; cell < (row + 1) * matrix.columns; cell++) {
    if (matrix.kinds[cell] !== VALUE) continue;
    values++;
    sum += matrix.values[cell]!;
    least = Math.min(least, matrix.values[cell]!);
  }
  if (least < 0) return `a weight of ${Number(least.toPrecision(4))}`;
  if (values === 0 || Math.abs(sum - 1) <= SUM_TOLERANCE) return undefined;
  return `a sum of ${Number(sum.toPrecision(6))}`;
}

function finiteWarning(op: string, matrix: AnyCells, weights: HeatmapData["weights"]): string | undefined {
  const cell = matrix.kinds.indexOf(NOT_FINITE);
  if (cell < 0) return undefined;
  const row = Math.floor(cell / matrix.columns);
  const column = cell % matrix.columns;
  const first = "kinds" in weights ? Number.NaN : isNested(weights) ? weights[row]![column] : weights[cell];
  const all = count(matrix, NOT_FINITE);
  return (
    `${op}: every weight that is not masked must be finite, got ${all} that ${all > 1 ? "are" : "is"} not, the first ` +
    `${first} at row ${row}, column ${column}; they are drawn apart from the colour scale`
  );
}

/** How many cells are of this kind. */
export function count(matrix: AnyCells, kind: number): number {
  return matrix.kinds.reduce((sum, other) => sum + Number(other === kind), 0);
}

/** Where the largest weight is, or undefined when no cell has one. */
function strongest(matrix: AnyCells): number | undefined {
  let best: number | undefined;
  for (let cell = 0; cell < matrix.values.length; cell++)
    if (matrix.kinds[cell] === VALUE && (best === undefined || matrix.values[cell]! > matrix.values[best]!))
      best = cell;
  return best;
}

const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;

/**
 * The heat map in one sentence, for screen readers and captions.
 *
 * @example
 * summary(cellsOf("summary", data), data);
 * // "5 output tokens over 7 input tokens; “aime” attends most to “love” (0.97)."
 */
export function summary(matrix: AnyCells, data: HeatmapData): string {
  const parts = [`${plural(matrix.rows, "output token")} over ${plural(matrix.columns, "input token")}`];
  const best = strongest(matrix);
  if (best === undefined) parts.push("nothing to attend to");
  else {
    const from = shorten(data.rowTokens[Math.floor(best / matrix.columns)]!);
    const to = shorten(data.columnTokens[best % matrix.columns]!);
    parts.push(`“${from}” attends most to “${to}” (${matrix.values[best]!.toFixed(2)})`);
  }
  const masked = count(matrix, MASKED);
  if (masked > 0) parts.push(`${masked} of ${plural(matrix.kinds.length, "cell")} masked`);
  return `${parts.join("; ")}.`;
}

/** The columns with the `most` largest weights of a row, largest first; equal weights in column order. */
export function topColumns(
  matrix: AnyCells,
  row: number,
  most: number,
): { column: number; weight: number }[] {
  const start = row * matrix.columns;
  return Array.from({ length: matrix.columns }, (_, column) => ({
    column,
    weight: matrix.values[start + column]!,
  }))
    .filter(({ column }) => matrix.kinds[start + column] === VALUE)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, most);
}
