import { colorAt, type DivergingPalette, hex, type Palette } from "../color.ts";
import { escapeXml, visible } from "../text.ts";
import { truncate } from "../width.ts";
import type { Layout } from "./layout.ts";
import { coordinate, element, label } from "./markup.ts";

/** A number for each row, or each column, of a map. */
export interface Strip {
  readonly name: string;
  /** 0 to 1, as colours; more than 1 looks like 1. */
  readonly values: ArrayLike<number>;
}

const STRIP_WIDTH = 18;
const STRIP_GAP = 8;
const LONGEST_NAME = 24;

/** What so many strips take beside a map. */
export const stripRoom = (count: number): number => count * (STRIP_WIDTH + STRIP_GAP);

/** The largest value of each block of `factor` neighbours: strips follow a pooled map. */
export function pooledStrip({ name, values }: Strip, factor: number): Strip {
  const blocks = Array.from({ length: Math.ceil(values.length / factor) }, (_, b) =>
    Math.max(...Array.from(values).slice(b * factor, (b + 1) * factor)),
  );
  return { name, values: blocks };
}

interface StripsInput {
  readonly layout: Layout;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly rowStrips: readonly Strip[];
  readonly columnStrips: readonly Strip[];
  readonly palette: Palette | DivergingPalette;
}

/** Strips of the rows to the right of a map, and of the columns below it, each cell with its number as a tooltip. */
export function strips({ layout, rows, columns, rowStrips, columnStrips, palette }: StripsInput): string {
  const { left, top, plotWidth, plotHeight, cellWidth, cellHeight } = layout;
  const cell = (place: Record<string, number>, name: string, token: string, value: number) => {
    const words = `“${escapeXml(truncate(visible(token), LONGEST_NAME))}”, ${escapeXml(name)}: ${value.toFixed(3)}`;
    const fill = hex(colorAt(palette, Math.min(1, Math.max(0, value))));
    return element("rect", { ...place, fill }, `<title>${words}</title>`);
  };
  const right = rowStrips.map(({ name, values }, k) => {
    const x = left + plotWidth + STRIP_GAP + k * (STRIP_WIDTH + STRIP_GAP);
    const drawn = rows.map((row, t) => {
      const place = { x, y: top + t * cellHeight, width: STRIP_WIDTH, height: cellHeight };
      return cell(place, name, row, values[t]!);
    });
    const transform = `translate(${coordinate(x + STRIP_WIDTH / 2 + 4.5)} ${coordinate(top + plotHeight + 8)}) rotate(-90)`;
    return (
      element("g", { "shape-rendering": "crispEdges" }, drawn.join("")) +
      element("rect", { class: "l", x, y: top, width: STRIP_WIDTH, height: plotHeight }) +
      label(visible(name), { class: "t k", transform, "text-anchor": "end" })
    );
  });
  const below = columnStrips.map(({ name, values }, k) => {
    const y = top + plotHeight + STRIP_GAP + k * (STRIP_WIDTH + STRIP_GAP);
    const drawn = columns.map((column, s) => {
      const place = { x: left + s * cellWidth, y, width: cellWidth, height: STRIP_WIDTH };
      return cell(place, name, column, values[s]!);
    });
    return (
      element("g", { "shape-rendering": "crispEdges" }, drawn.join("")) +
      element("rect", { class: "l", x: left, y, width: plotWidth, height: STRIP_WIDTH }) +
      label(visible(name), { class: "t k", x: left - 10, y: y + STRIP_WIDTH / 2 + 4.5, "text-anchor": "end" })
    );
  });
  return right.join("") + below.join("");
}
