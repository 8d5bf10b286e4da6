import type { AnyCells } from "../inspect/cells.ts";
import { PALETTES, type Palette } from "./color.ts";
import { cellsOf, type HeatmapData } from "./data.ts";
import { summary, topColumns, warnings } from "./describe.ts";
import { oneOf, positiveInteger, type Words, withDefaultWords } from "./options.ts";
import { type ColorScale, type Domain, makeScale } from "./scale.ts";
import type { ColorDepth } from "./terminal/capabilities.ts";
import { makeInk } from "./terminal/ink.ts";
import { largeMap } from "./terminal/large.ts";
import { legend } from "./terminal/legend.ts";
import { ellipsisOf, type Page, printable } from "./terminal/page.ts";
import { sentenceMap } from "./terminal/sentence.ts";
import { ascii } from "./text.ts";
import { truncate } from "./width.ts";

export interface TerminalHeatmapOptions extends Words {
  /** Bits of colour, as `terminalCapabilities` finds them. */
  readonly depth: ColorDepth;
  /** Whether block, box and accented characters can be shown; else the output is pure ASCII. */
  readonly unicode: boolean;
  /** Width of the terminal; no line is wider, but less than 20 is taken for 20. */
  readonly columns: number;
  /** False chooses `text` where `format` is absent and there is no colour. @default true */
  readonly isTTY?: boolean;
  /** @default viridis at depth 24, the grey ramp at depth 8 */
  readonly palette?: Palette;
  /** `map`, or `text`: a sentence and the strongest inputs of each output, for screen readers and pipes. */
  readonly format?: TerminalFormat;
  /** @default "unit" */
  readonly domain?: Domain;
  /** `sqrt` and `log` tell small weights apart. @default "linear" */
  readonly colorScale?: ColorScale;
  /** Writes weights from 0.1 on into cells of four columns or more; without colour, a table of them. @default true */
  readonly numbers?: boolean;
  /** The most inputs that `text` names for each output; further ones that round to 0.00 are left out. @default 3 */
  readonly top?: number;
  /** The most outputs that `text` names; of more, those with the largest weights. @default 64 */
  readonly lines?: number;
  /** Called with a sentence for each reason to distrust the picture, such as rows that do not sum to 1. */
  readonly onWarning?: (message: string) => void;
}

const FORMATS = ["map", "text"] as const;
export type TerminalFormat = (typeof FORMATS)[number];

const DEPTHS: readonly ColorDepth[] = [1, 4, 8, 24];
const LEAST_COLUMNS = 20;
const LONGEST_TEXT_TOKEN = 40;
const MOST_LINES = 64;

/**
 * Attention weights as a heat map for a terminal: one string, lines joined by "\n", without one at the end.
 *
 * A sentence pair (up to 30 tokens a side) is one line an output token, with the input tokens above. Larger maps are
 * half blocks, two rows a line, max-pooled to the width of the terminal with a note. Depth 24 shows the palette,
 * depth 8 a ramp of 24 greys, less than that ` ░▒▓█`, or ` .:-=+*#%@` without Unicode; up to 12 × 12 without colour,
 * the numbers. Masked cells are `╳` or `x`. Tokens cannot reach the terminal as controls: the only ones in the
 * output are line breaks and our own colour sequences.
 *
 * @throws ShapeError SHAPE, OptionError OPTION
 *
 * @example
 * const capabilities = terminalCapabilities({ env: process.env, stream: process.stdout });
 * console.log(terminalHeatmap({ weights: [[0.9, 0.1]], rowTokens: ["J'"], columnTokens: ["I", "love"] }, capabilities));
 */
export function terminalHeatmap(data: HeatmapData, options: TerminalHeatmapOptions): string {
  const op = "terminalHeatmap";
  const matrix = cellsOf(op, data);
  const depth = oneOf(op, "depth", options.depth, DEPTHS);
  const palette = options.palette && oneOf(op, "palette", options.palette, PALETTES);
  const fallback = options.isTTY === false && depth === 1 ? "text" : "map";
  const format = oneOf(op, "format", options.format ?? fallback, FORMATS);
  const words = withDefaultWords(options);
  const page: Page = {
    depth,
    unicode: options.unicode,
    columns: Math.max(LEAST_COLUMNS, positiveInteger(op, "columns", options.columns)),
    ink: makeInk(depth, palette),
    scale: makeScale(op, matrix, options.domain, undefined, options.colorScale),
    numbers: options.numbers ?? true,
  };
  for (const warning of warnings(op, matrix, data)) options.onWarning?.(warning);
  if (format === "text")
    return textLines(
      page,
      matrix,
      data,
      positiveInteger(op, "top", options.top ?? 3),
      positiveInteger(op, "lines", options.lines ?? MOST_LINES),
    ).join("\n");

  const drawing =
    sentenceMap(page, matrix, data.rowTokens, data.columnTokens) ??
    largeMap(page, matrix, data.rowTokens, data.columnTokens);
  return [...titleLine(page, words.title), ...drawing.lines, "", ...legend(page, drawing, words)].join("\n");
}

function titleLine(page: Page, title: string): string[] {
  if (title === "") return [];
  const shown = truncate(printable(page, title), page.columns, ellipsisOf(page));
  return [page.depth > 1 ? `\u001b[1m${shown}\u001b[0m` : shown, ""];
}

function textLines(page: Page, matrix: AnyCells, data: HeatmapData, top: number, most: number): string[] {
  const short = (token: string) => truncate(printable(page, token), LONGEST_TEXT_TOKEN, ellipsisOf(page));
  const sentence = summary(matrix, data);
  const { length } = data.rowTokens;
  const rows = length <= most ? [...data.rowTokens.keys()] : strongestRows(matrix, most);
  const lines = rows.map((row) => {
    const strongest = topColumns(matrix, row, top)
      .filter(({ weight }, rank) => rank === 0 || weight.toFixed(2) !== "0.00")
      .map(({ column, weight }) => `${short(data.columnTokens[column]!)} ${weight.toFixed(2)}`);
    const number = length <= most ? "" : `${row} `;
    return `${number}${short(data.rowTokens[row]!)}: ${strongest.join(", ") || "nothing to attend to"}`;
  });
  const rest = `${rows.length} of ${length} outputs, those with the largest weights`;
  return [page.unicode ? sentence : ascii(sentence), ...lines, ...(length <= most ? [] : [rest])];
}

/** The rows with the largest weights, in their own order. */
function strongestRows(matrix: AnyCells, most: number): number[] {
  return Array.from({ length: matrix.rows }, (_, row) => ({
    row,
    weight: topColumns(matrix, row, 1)[0]?.weight ?? 0,
  }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, most)
    .map(({ row }) => row)
    .sort((a, b) => a - b);
}
