import { type AnyCells, MASKED, NOT_FINITE } from "../../inspect/cells.ts";
import { displayWidth, fitColumns } from "../width.ts";
import { makeHeader } from "./header.ts";
import { paintLine, type Span } from "./ink.ts";
import { type Drawing, ellipsisOf, INVALID_SIGN, maskedSign, type Page, printable, shadeAt } from "./page.ts";

/** Up to here a map is read word by word, one line for each output token. */
const MOST_TOKENS = 30;
/** Up to here, where there is no colour, exact numbers say more than shades. */
const MOST_NUMBERS = 12;
/** `0.97` and a blank. */
const LEAST_NUMBER_CELL = 5;
const LONGEST_LABEL = 18;
/** Weights below this would be printed as .0 or .00 and only hide the pattern. */
const LEAST_NUMBER = 0.095;
const NARROWEST_CELL_WITH_NUMBER = 4;

/** The map of a sentence pair, or undefined when it is too long or the terminal too narrow. */
export function sentenceMap(
  page: Page,
  matrix: AnyCells,
  rowTokens: readonly string[],
  columnTokens: readonly string[],
): Drawing | undefined {
  if (Math.max(matrix.rows, matrix.columns) > MOST_TOKENS) return undefined;
  const rows = rowTokens.map((token) => printable(page, token));
  const tokens = columnTokens.map((token) => printable(page, token));
  const longest = Math.max(...rows.map(displayWidth));
  const labelWidth = Math.max(1, Math.min(longest, LONGEST_LABEL, Math.floor(page.columns / 4)));
  const indent = labelWidth + 1;
  const header = (leastCellWidth: number) =>
    makeHeader({ tokens, indent, columns: page.columns, leastCellWidth, unicode: page.unicode });

  const small = Math.max(matrix.rows, matrix.columns) <= MOST_NUMBERS;
  const table = page.depth === 1 && small && page.numbers ? header(numberWidth(matrix)) : undefined;
  const chosen = table ?? header(2);
  if (!chosen) return undefined;
  const cell = table ? numberCell : page.ink ? colorCell : shadeCell;
  const lines = rows.map((row, i) => {
    const spans: Span[] = [{ text: `${fitColumns(row, labelWidth, "right", ellipsisOf(page))} ` }];
    for (let j = 0; j < matrix.columns; j++)
      spans.push(
        special(page, matrix, i * matrix.columns + j, chosen.cellWidth) ??
          cell(page, matrix, i * matrix.columns + j, chosen.cellWidth),
      );
    return paintLine(spans);
  });
  const look = table ? "numbers" : page.ink ? "color" : "shades";
  return { lines: [...chosen.lines, ...lines], matrix, look };
}

/** A cell that has no weight to show. */
function special(page: Page, matrix: AnyCells, cell: number, width: number): Span | undefined {
  if (matrix.kinds[cell] === MASKED) return { text: fitColumns(maskedSign(page), width, "center") };
  if (matrix.kinds[cell] === NOT_FINITE) return { text: fitColumns(INVALID_SIGN, width, "center") };
  return undefined;
}

const written = (value: number) => value.toFixed(2);

/** What the longest number takes, and a blank between neighbours. */
function numberWidth({ values }: AnyCells): number {
  let width = LEAST_NUMBER_CELL;
  for (const value of values) width = Math.max(width, written(value).length + 1);
  return width;
}

function numberCell(_: Page, matrix: AnyCells, cell: number, width: number): Span {
  return { text: fitColumns(written(matrix.values[cell]!), width, "center") };
}

function shadeCell(page: Page, matrix: AnyCells, cell: number, width: number): Span {
  return { text: shadeAt(page, page.scale.position(matrix.values[cell]!)).repeat(width) };
}

function colorCell(page: Page, matrix: AnyCells, cell: number, width: number): Span {
  const value = matrix.values[cell]!;
  const t = page.scale.position(value);
  const background = page.ink!.color(t);
  const said =
    page.numbers && width >= NARROWEST_CELL_WITH_NUMBER && value >= LEAST_NUMBER ? short(value) : "";
  if (said === "" || said.length > width) return { text: " ".repeat(width), background };
  return { text: fitColumns(said, width, "center"), foreground: page.ink!.text(t), background };
}

/** Three characters for a weight: `.97`, and `1.0` from .995 on. */
function short(value: number): string {
  const digits = written(value);
  return digits.startsWith("0.") ? digits.slice(1) : value.toFixed(1);
}
