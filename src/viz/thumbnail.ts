import { type AnyCells, VALUE } from "../inspect/cells.ts";
import type { Palette } from "./color.ts";
import { type Numbers, refuseEmpty, wordlessCells } from "./data.ts";
import { makeScale } from "./scale.ts";
import { element } from "./svg/markup.ts";
import { raster } from "./svg/raster.ts";
import { escapeXml, visible } from "./text.ts";

export interface ThumbnailOptions {
  /** What the picture shows, for readers who do not see it. */
  readonly label: string;
  /** Width of the picture in pixels. @default 96 */
  readonly width?: number;
  /** @default "viridis" */
  readonly palette?: Palette;
}

/**
 * One to four matrices as a small picture without words, for tables and lists: SVG, one square a number.
 *
 *     colour of a cell = palette[(value − low) / (high − low)],    low = min(0, least),    high = greatest
 *
 * Panels stand side by side and share one scale. A number that is not finite is grey. Cells of one colour that
 * touch in a row are one path. Cost: O(cells). Pure: the same data give the same text.
 *
 * @throws OptionError OPTION · ShapeError SHAPE when rows differ in length
 * @example
 * thumbnail([[[1, 0], [0.5, 0.5]]], { label: "weights of two words" });
 */
export function thumbnail(panels: readonly (Numbers | AnyCells)[], options: ThumbnailOptions): string {
  const op = "thumbnail";
  const { label, width = 96, palette = "viridis" } = options;
  if (panels.length === 0) refuseEmpty(op, 0, 0);
  const matrices = panels.map((weights) => wordlessCells(op, weights));
  let [low, most] = [0, -Infinity];
  for (const { values, kinds } of matrices)
    values.forEach((value, n) => {
      if (kinds[n] !== VALUE) return;
      low = Math.min(low, value);
      most = Math.max(most, value);
    });
  const high = Math.max(most, low + 2 * Number.EPSILON * Math.max(1, -low));
  const scale = makeScale(op, matrices[0]!, [low, high]);
  const lefts = matrices.map((_, n) =>
    matrices.slice(0, n).reduce((sum, { columns }) => sum + columns + 1, 0),
  );
  const paths = raster(matrices, { palette, position: scale.position }, lefts);
  const across = lefts.at(-1)! + matrices.at(-1)!.columns;
  const down = Math.max(...matrices.map(({ rows }) => rows));
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height: (width * down) / across,
    viewBox: `0 0 ${across} ${down}`,
    role: "img",
    "shape-rendering": "crispEdges",
  };
  return element("svg", attributes, element("title", {}, escapeXml(visible(label))) + paths);
}
