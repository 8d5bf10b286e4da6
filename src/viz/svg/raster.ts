import { type AnyCells, VALUE } from "../../inspect/cells.ts";
import { colorAt, hex, type Palette } from "../color.ts";
import { coordinate, element } from "./markup.ts";

/** Cells that are no number: masked, or not finite. */
const NOTHING = "#8a8a8a";

export interface RasterStyle {
  readonly palette: Palette;
  /** Where a value lies between the first and the last colour, 0 … 1. */
  readonly position: (value: number) => number;
  readonly left?: number;
  readonly top?: number;
  /** @default 1 */
  readonly cellWidth?: number;
  /** @default 1 */
  readonly cellHeight?: number;
}

/** A small map without words: one path a colour, cells of one colour that touch in a row drawn as one. */
export function raster(
  matrices: readonly AnyCells[],
  style: RasterStyle,
  lefts: readonly number[] = [0],
): string {
  const { palette, position, left = 0, top = 0, cellWidth: w = 1, cellHeight: h = 1 } = style;
  const outlines = new Map<string, string>();
  matrices.forEach(({ rows, columns, values, kinds }, n) => {
    const color = (cell: number) =>
      kinds[cell] === VALUE ? hex(colorAt(palette, position(values[cell]!))) : NOTHING;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const fill = color(i * columns + j);
        const start = j;
        while (j + 1 < columns && color(i * columns + j + 1) === fill) j++;
        const run = coordinate((j + 1 - start) * w);
        const corner = `${coordinate(left + (lefts[n]! + start) * w)} ${coordinate(top + i * h)}`;
        outlines.set(fill, `${outlines.get(fill) ?? ""}M${corner}h${run}v${coordinate(h)}h-${run}z`);
      }
  });
  return [...outlines].map(([fill, d]) => element("path", { fill, d })).join("");
}
