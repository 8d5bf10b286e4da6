import { type AnyCells, MASKED, NOT_FINITE } from "../inspect/cells.ts";
import type { Palette } from "./color.ts";
import { fitCells, type Numbers, refuseEmpty, wordlessCells } from "./data.ts";
import { positiveInteger } from "./options.ts";
import { makeScale } from "./scale.ts";
import type { ColorDepth } from "./terminal/capabilities.ts";
import { makeInk, paintLine, type Span } from "./terminal/ink.ts";
import { halfBlocks, wideCell } from "./terminal/large.ts";
import { legend } from "./terminal/legend.ts";
import { ellipsisOf, type Page, printable } from "./terminal/page.ts";
import { fitColumns, truncate } from "./width.ts";

export interface TerminalGridOptions {
  /** Bits of colour, as `terminalCapabilities` finds them. */
  readonly depth: ColorDepth;
  /** Whether block characters can be shown; else the output is pure ASCII. */
  readonly unicode: boolean;
  /** Width of the terminal; heads that do not fit into a line go to the next. */
  readonly columns: number;
  /** @default viridis at depth 24, the grey ramp at depth 8 */
  readonly palette?: Palette;
  /** @default none */
  readonly title?: string;
}

const SIDE = 12;
const LEAST_COLUMNS = 2 * SIDE + 2;
const GAP = 2;

/**
 * A whole model in a terminal: a small map for each head, layers from top to bottom, heads from left to right.
 *
 * NaN is a masked cell. Maps are max-pooled to 12 × 12 cells: half blocks where there are colours and block characters,
 * else shades. Cost: O(L·H·T·S). Pure: one string, lines joined by "\n".
 *
 * @throws OptionError OPTION · ShapeError SHAPE
 * @example
 * const head = [[1, 0], [0.5, 0.5]];
 * terminalGrid([[head, head]], { depth: 1, unicode: false, columns: 80 }).split("\n")[0]; // "layer 0"
 */
export function terminalGrid(
  layers: readonly (readonly (Numbers | AnyCells)[])[],
  options: TerminalGridOptions,
): string {
  const op = "terminalGrid";
  const { depth, unicode, palette, title = "" } = options;
  const columns = Math.max(LEAST_COLUMNS, positiveInteger(op, "columns", options.columns));
  const maps = layers.map((heads) => heads.map((weights) => small(op, weights)));
  const first = maps.flat()[0];
  if (!first) return refuseEmpty(op, layers.length, 0);
  const scale = makeScale(op, first);
  const page: Page = { depth, unicode, columns, ink: makeInk(depth, palette), scale, numbers: false };
  const halves = page.ink !== undefined && unicode;
  const cellWidth = halves ? 1 : 2;
  const lines = maps.flatMap((heads, l) => {
    const widths = heads.map((map) => Math.max(map.columns * cellWidth, `head ${heads.length - 1}`.length));
    const perLine = Math.max(1, Math.floor((columns + GAP) / (Math.max(...widths, 1) + GAP)));
    const blocks = Array.from({ length: Math.ceil(heads.length / perLine) }, (_, n) => n * perLine);
    return [
      `layer ${l}`,
      ...blocks.flatMap((from) => block(page, heads, widths, from, from + perLine, halves)),
    ];
  });
  const kinds = Uint8Array.from(maps.flat().flatMap((map) => Array.from(map.kinds)));
  const all: AnyCells = { rows: 1, columns: kinds.length, values: new Float64Array(kinds.length), kinds };
  const look = page.ink ? "color" : "shades";
  const words = { title: "", xTitle: "keys", yTitle: "queries" };
  const head = title === "" ? [] : [truncate(printable(page, title), columns, ellipsisOf(page)), ""];
  return [...head, ...lines, ...legend(page, { lines, matrix: all, look }, words)].join("\n");
}

/** A line of heads side by side, their names above. */
function block(
  page: Page,
  heads: readonly AnyCells[],
  widths: readonly number[],
  from: number,
  to: number,
  halves: boolean,
): string[] {
  const shown = heads.slice(from, to);
  const names = shown.map((_, n) => fitColumns(`head ${from + n}`, widths[from + n]!, "left", "~"));
  const step = halves ? 2 : 1;
  const tallest = Math.max(...shown.map(({ rows }) => rows));
  const lines = Array.from({ length: Math.ceil(tallest / step) }, (_, line) => {
    const spans: Span[] = [];
    for (const [n, map] of shown.entries()) {
      const i = line * step;
      for (let j = 0; i < map.rows && j < map.columns; j++)
        spans.push(halves ? halfBlocks(page, map, i, j) : wideCell(page, map, i * map.columns + j));
      const drawn = i < map.rows ? map.columns * (halves ? 1 : 2) : 0;
      spans.push({ text: " ".repeat(widths[from + n]! - drawn + GAP) });
    }
    return paintLine(spans);
  });
  return [names.join(" ".repeat(GAP)).trimEnd(), ...lines, ""];
}

/** A map of at most 12 × 12 cells; NaN is masked. */
function small(op: string, weights: Numbers | AnyCells): AnyCells {
  const cells = wordlessCells(op, weights);
  const kinds = cells.kinds.map((kind) => (kind === NOT_FINITE ? MASKED : kind));
  return fitCells({ ...cells, kinds }, SIDE, SIDE);
}
