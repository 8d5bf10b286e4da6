import { type AnyCells, MASKED, NOT_FINITE } from "../../inspect/cells.ts";
import { fitCells, type Pooled, poolingNote } from "../data.ts";
import { displayWidth, fitColumns, truncate } from "../width.ts";
import { paintLine, type Span } from "./ink.ts";
import { type Drawing, ellipsisOf, INVALID_SIGN, maskedSign, type Page, printable, shadeAt } from "./page.ts";
import { plainItem, wrap } from "./wrap.ts";

/** Taller maps are pooled: nobody scrolls back through more. */
const MOST_LINES = 64;
const LONGEST_LABEL = 16;
const INDEX_EVERY = 10;
const MOST_NAMED = 64;

/**
 * A map too large to name its columns: half blocks, two rows of cells a line, where there are colours and block
 * characters; else one row a line and two terminal columns a cell. Both axes count tokens from 0, and below the map
 * the columns are named, unless there are too many.
 */
export function largeMap(
  page: Page,
  full: AnyCells,
  rowTokens: readonly string[],
  columnTokens: readonly string[],
): Drawing {
  const halves = page.ink !== undefined && page.unicode;
  const rowsPerLine = halves ? 2 : 1;
  const cellWidth = halves ? 1 : 2;
  const digits = String(full.rows - 1).length;
  const tokenWidth = Math.min(
    LONGEST_LABEL - digits - 1,
    Math.max(...rowTokens.map((token) => displayWidth(printable(page, token)))),
  );
  const labelWidth = Math.max(digits, Math.min(digits + 1 + tokenWidth, Math.floor(page.columns / 4)));
  const cells = Math.max(1, Math.floor((page.columns - labelWidth - 1) / cellWidth));
  const pooled = fitCells(full, MOST_LINES * rowsPerLine, cells);

  const lines: string[] = [indexLine(pooled, labelWidth + 1, cellWidth)];
  for (let i = 0; i < pooled.rows; i += rowsPerLine) {
    const source = i * pooled.rowFactor;
    const name = `${String(source).padStart(digits)} ${printable(page, rowTokens[source]!)}`;
    const spans: Span[] = [{ text: `${fitColumns(name, labelWidth, "left", ellipsisOf(page))} ` }];
    for (let j = 0; j < pooled.columns; j++)
      spans.push(halves ? halfBlocks(page, pooled, i, j) : wideCell(page, pooled, i * pooled.columns + j));
    lines.push(paintLine(spans));
  }
  if (columnTokens.length <= MOST_NAMED) lines.push("", ...columnKey(page, columnTokens));
  return { lines, matrix: pooled, note: poolingNote(pooled), look: page.ink ? "color" : "shades" };
}

/** The number of every tenth column, over its left edge. */
function indexLine({ columns, columnFactor }: Pooled, indent: number, cellWidth: number): string {
  let line = "";
  for (let j = 0; j < columns; j += INDEX_EVERY)
    line = `${line.padEnd(indent + j * cellWidth)}${j * columnFactor}`;
  return line;
}

/** `0 I  1 love  2 machine`: what the numbers above the map stand for. */
function columnKey(page: Page, tokens: readonly string[]): string[] {
  const ellipsis = ellipsisOf(page);
  const items = tokens.map((token, j) => {
    const name = truncate(printable(page, token), LONGEST_LABEL, ellipsis);
    return plainItem(`${j} ${name}`, page.columns, ellipsis);
  });
  return wrap(items, page.columns, "  ");
}

/** What one half shows: a colour, or a sign where it is masked or not finite. */
function half(page: Page, matrix: AnyCells, cell: number): { color?: string; sign?: string } {
  if (matrix.kinds[cell] === MASKED) return { sign: maskedSign(page) };
  if (matrix.kinds[cell] === NOT_FINITE) return { sign: INVALID_SIGN };
  return { color: page.ink!.color(page.scale.position(matrix.values[cell]!)) };
}

/** A half without a colour stays unpainted; two of them show their sign, and "not finite" always does. */
export function halfBlocks(page: Page, matrix: AnyCells, i: number, j: number): Span {
  const upper = half(page, matrix, i * matrix.columns + j);
  const lower = i + 1 < matrix.rows ? half(page, matrix, (i + 1) * matrix.columns + j) : {};
  if (upper.sign === INVALID_SIGN || lower.sign === INVALID_SIGN) return { text: INVALID_SIGN };
  if (upper.color && lower.color) return { text: "▀", foreground: upper.color, background: lower.color };
  if (upper.color) return { text: "▀", foreground: upper.color };
  if (lower.color) return { text: "▄", foreground: lower.color };
  return { text: upper.sign ?? " " };
}

export function wideCell(page: Page, matrix: AnyCells, cell: number): Span {
  if (matrix.kinds[cell] === MASKED) return { text: maskedSign(page).repeat(2) };
  if (matrix.kinds[cell] === NOT_FINITE) return { text: INVALID_SIGN.repeat(2) };
  const t = page.scale.position(matrix.values[cell]!);
  return page.ink ? { text: "  ", background: page.ink.color(t) } : { text: shadeAt(page, t).repeat(2) };
}
