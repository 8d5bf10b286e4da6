import { type AnyCells, MASKED, NOT_FINITE, VALUE } from "../../inspect/cells.ts";
import { colorAt, type DivergingPalette, hex, type Palette, textOn } from "../color.ts";
import type { Scale } from "../scale.ts";
import { escapeXml, visible } from "../text.ts";
import { truncate } from "../width.ts";
import type { Layout } from "./layout.ts";
import { element, label } from "./markup.ts";

/** Up to here every cell is an element with a tooltip; larger maps are one path per colour, a tenth of the size. */
const MOST_ELEMENTS = 2500;
const LEAST_CELL_FOR_NUMBERS = 28;

export interface CellsInput {
  readonly matrix: AnyCells;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly layout: Layout;
  readonly palette: Palette | DivergingPalette;
  readonly scale: Scale;
  readonly numbers: boolean;
  readonly id: string;
}

/** The cells, exactly filled, and on request their numbers. */
export function cells(input: CellsInput): string {
  const { matrix, layout } = input;
  const fill = (cell: number) => fillOf(input, cell);
  const drawn = matrix.values.length <= MOST_ELEMENTS ? elements(input, fill) : paths(input, fill);
  const group = element("g", { "shape-rendering": "crispEdges" }, drawn);
  const wide = Math.min(layout.cellWidth, layout.cellHeight) >= LEAST_CELL_FOR_NUMBERS;
  return group + (input.numbers && wide ? numbers(input) : "");
}

function fillOf({ matrix, scale, palette, id }: CellsInput, cell: number): string {
  if (matrix.kinds[cell] === MASKED) return `url(#${id}-m)`;
  if (matrix.kinds[cell] === NOT_FINITE) return `url(#${id}-x)`;
  return hex(colorAt(palette, scale.position(matrix.values[cell]!)));
}

function elements({ matrix, rows, columns, layout }: CellsInput, fill: (cell: number) => string): string {
  const short = (token: string) => escapeXml(truncate(visible(token), 24));
  const rowNames = rows.map(short);
  const columnNames = columns.map(short);
  const said = (cell: number) =>
    matrix.kinds[cell] === MASKED
      ? "masked"
      : matrix.kinds[cell] === NOT_FINITE
        ? "not a finite number"
        : matrix.values[cell]!.toFixed(3);
  return Array.from(matrix.values, (_, cell) => {
    const i = Math.floor(cell / matrix.columns);
    const j = cell % matrix.columns;
    return element(
      "rect",
      {
        x: layout.left + j * layout.cellWidth,
        y: layout.top + i * layout.cellHeight,
        width: layout.cellWidth,
        height: layout.cellHeight,
        fill: fill(cell),
      },
      `<title>“${rowNames[i]}” to “${columnNames[j]}”: ${said(cell)}</title>`,
    );
  }).join("");
}

function paths({ matrix, layout }: CellsInput, fill: (cell: number) => string): string {
  const { left, top, cellWidth: w, cellHeight: h } = layout;
  const outlines = new Map<string, string>();
  for (let i = 0; i < matrix.rows; i++)
    for (let j = 0; j < matrix.columns; j++) {
      const key = fill(i * matrix.columns + j);
      const start = j;
      while (j + 1 < matrix.columns && fill(i * matrix.columns + j + 1) === key) j++;
      const run = (j + 1 - start) * w;
      outlines.set(key, `${outlines.get(key) ?? ""}M${left + start * w} ${top + i * h}h${run}v${h}h${-run}z`);
    }
  return [...outlines].map(([key, d]) => element("path", { fill: key, d })).join("");
}

function numbers({ matrix, layout, palette, scale }: CellsInput): string {
  const size = Math.min(13, Math.floor(layout.cellWidth / 2.8));
  const texts = Array.from(matrix.values, (value, cell) => {
    if (matrix.kinds[cell] !== VALUE) return "";
    return label(value.toFixed(2), {
      x: layout.left + ((cell % matrix.columns) + 0.5) * layout.cellWidth,
      y: layout.top + (Math.floor(cell / matrix.columns) + 0.5) * layout.cellHeight + size * 0.36,
      fill: hex(textOn(colorAt(palette, scale.position(value)))),
    });
  });
  return element("g", { "text-anchor": "middle", "font-size": size }, texts.join(""));
}
