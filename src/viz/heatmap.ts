import { MASKED, NOT_FINITE } from "../inspect/cells.ts";
import { type DivergingPalette, PALETTES, type Palette } from "./color.ts";
import { blockTokens, cellsOf, fitCells, type HeatmapData, type Pooled, poolingNote } from "./data.ts";
import { count, summary, warnings } from "./describe.ts";
import { oneOf, type Words, withDefaultWords } from "./options.ts";
import { refuse, refuseLength } from "./refuse.ts";
import { type ColorScale, type Domain, makeScale } from "./scale.ts";
import { cells } from "./svg/cells.ts";
import { colorbar, definitions } from "./svg/colorbar.ts";
import { svgDocument } from "./svg/document.ts";
import { type Layout, layOut } from "./svg/layout.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth } from "./svg/measure.ts";
import { pooledStrip, type Strip, strips } from "./svg/strips.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { visible } from "./text.ts";

export interface HeatmapOptions extends Words {
  /** "PuOr" is for signed numbers, with a domain around 0. @default "viridis" */
  readonly palette?: Palette | DivergingPalette;
  /** @default "unit" */
  readonly domain?: Domain;
  /** `sqrt` and `log` tell small weights apart. @default "linear" */
  readonly colorScale?: ColorScale;
  /** What the numbers are, for the legend. @default "weight" */
  readonly value?: string;
  /** @default "light" */
  readonly theme?: Theme;
  /** Writes each weight into its cell, with two decimals, where cells are at least 28 px. @default false */
  readonly numbers?: boolean;
  /** The most that the figure may take, in pixels. @default { width: 960, height: 768 }, 10 × 8 inches */
  readonly size?: { readonly width: number; readonly height: number };
  /** A number for each row, drawn as a strip to the right of the map: a gate, say. @default none */
  readonly rowStrips?: readonly Strip[];
  /** A number for each column, drawn as a strip below the map: a coverage, say. @default none */
  readonly columnStrips?: readonly Strip[];
  /** A sentence below the figure. @default none */
  readonly note?: string;
  /** Called with a sentence for each reason to distrust the picture, such as rows that do not sum to 1. */
  readonly onWarning?: (message: string) => void;
}

/** More cells on a side than this are less than 4 px: the map is max-pooled, and says so. */
const MOST_CELLS = 200;

/**
 * Attention weights as a heat map: an SVG document of 10 × 8 inches (less where cells would become stripes).
 *
 *     colour of cell (t, s) = palette[⌊256 · f(weights[t][s])⌋],    f(w) = (w − low) / (high − low), or as `colorScale` says
 *
 * Rows are output tokens t (T of them, top to bottom), columns are input tokens s (S, left to right). The scale is
 * 0 to 1 unless `domain` says otherwise. Masked cells are hatched grey, weights that are not finite crossed red;
 * neither is ever shown as a number. Above 200 rows or columns, cells are max-pooled with a note. Strips show a number
 * for each row or column in the palette's colours, 0 to 1 whatever the scale of the map.
 *
 * Cost: O(T·S). Pure: the same data give the same text, without a DOM, and no token can become markup.
 *
 * @throws ShapeError SHAPE, OptionError OPTION
 *
 * @example
 * const svg = heatmap({
 *   weights: [[0.9, 0.1], [0.2, 0.8]],
 *   rowTokens: ["J'", "aime"],
 *   columnTokens: ["I", "love"],
 * }, { theme: "auto" });
 */
export function heatmap(data: HeatmapData, options: HeatmapOptions = {}): string {
  const op = "heatmap";
  const matrix = cellsOf(op, data);
  const palette = oneOf(op, "palette", options.palette ?? "viridis", [...PALETTES, "PuOr"]);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const scale = makeScale(op, matrix, options.domain, options.value, options.colorScale);
  const words = withDefaultWords(options);
  for (const warning of warnings(op, matrix, data)) options.onWarning?.(warning);

  const pooled = fitCells(matrix, MOST_CELLS, MOST_CELLS);
  const rows = blockTokens(data.rowTokens, pooled.rowFactor);
  const columns = blockTokens(data.columnTokens, pooled.columnFactor);
  const rowStrips = stripsOf(op, "rowStrips", options.rowStrips, matrix.rows, pooled.rowFactor);
  const columnStrips = stripsOf(
    op,
    "columnStrips",
    options.columnStrips,
    matrix.columns,
    pooled.columnFactor,
  );
  const note = [noteOf(pooled), options.note].filter(Boolean).join(" ") || undefined;
  const layout = layOut({
    rows,
    columns,
    hasTitle: words.title !== "",
    hasXTitle: words.xTitle !== "",
    hasYTitle: words.yTitle !== "",
    hasNote: note !== undefined,
    rowStrips: rowStrips.map(({ name }) => name),
    columnStrips: columnStrips.map(({ name }) => name),
    ...(options.size && { figure: checkedSize(op, options.size) }),
  });
  const description = summary(matrix, data) + (note ? ` ${visible(note)}` : "");
  const settings = [palette, theme, scale.low, scale.high, options.numbers, ...Object.values(words)];
  if (options.note) settings.push(options.note);
  if (options.size || options.value || (options.colorScale ?? "linear") !== "linear")
    settings.push(layout.width, layout.height, scale.label);
  const drawn = [...rowStrips, ...columnStrips];
  for (const { name, values } of drawn) settings.push(name, ...Array.from(values));
  const id = fingerprint([settings, rows, columns, pooled.values, pooled.kinds].map(String).join("\n"));
  const numbers = options.numbers ?? false;
  const hasMasked = count(pooled, MASKED) > 0;
  const hasInvalid = count(pooled, NOT_FINITE) > 0;

  const content = [
    definitions(id, palette),
    element("rect", { class: "bg", width: layout.width, height: layout.height }),
    cells({ matrix: pooled, rows, columns, layout, palette, scale, numbers, id }),
    element("rect", {
      class: "l",
      x: layout.left,
      y: layout.top,
      width: layout.plotWidth,
      height: layout.plotHeight,
    }),
    ...(drawn.length > 0 ? [strips({ layout, rows, columns, rowStrips, columnStrips, palette })] : []),
    axes(layout),
    titles(layout, words, note),
    colorbar({ layout, scale, id, hasMasked, hasInvalid }),
  ];
  return svgDocument({
    id,
    theme,
    title: words.title || "Heat map",
    description,
    width: layout.width,
    height: layout.height,
    content,
  });
}

/** Smaller figures have no room for cells beside their words. */
const LEAST_SIDE = 320;

function checkedSize(op: string, size: { readonly width: number; readonly height: number }) {
  for (const [option, side] of Object.entries(size)) {
    if (side >= LEAST_SIDE && Number.isFinite(side)) continue;
    refuse(op, `size.${option}`, `at least ${LEAST_SIDE} pixels`, String(side), "or leave it out");
  }
  return size;
}

/** Checked strips, pooled as the map is. */
function stripsOf(
  op: string,
  option: string,
  given: readonly Strip[] | undefined = [],
  length: number,
  factor: number,
): Strip[] {
  const axis = option === "rowStrips" ? "T" : "S";
  for (const { name, values } of given) {
    if (values.length !== length) refuseLength(op, `${option} ${name}`, axis, length, values.length);
    const wrong = Array.from(values).find((value) => !Number.isFinite(value));
    if (wrong !== undefined) refuse(op, `${option} ${name}`, "finite numbers", String(wrong), "leave it out");
  }
  return given.map((strip) => pooledStrip(strip, factor));
}

function noteOf(pooled: Pooled): string | undefined {
  const pooling = poolingNote(pooled);
  return (
    pooling && `${pooling}: a cell shows the largest of ${pooled.rowFactor} × ${pooled.columnFactor} weights.`
  );
}

function axes({ left, bottom, rowLabels, columnLabels, columnAngle }: Layout): string {
  const rows = rowLabels.map(({ text, at }) =>
    label(text, { class: "t k", x: left - 10, y: at + 4.5, "text-anchor": "end" }),
  );
  const columns = columnLabels.map(({ text, at }) => {
    if (columnAngle === 0)
      return label(text, { class: "t k", x: at, y: bottom + 19, "text-anchor": "middle" });
    const [x, y] = columnAngle === -45 ? [at + 4, bottom + 14] : [at + 4.5, bottom + 8];
    const transform = `translate(${coordinate(x)} ${coordinate(y)}) rotate(${columnAngle})`;
    return label(text, { class: "t k", transform, "text-anchor": "end" });
  });
  return rows.join("") + columns.join("");
}

function titles(layout: Layout, words: Required<Words>, note: string | undefined): string {
  const { left, top, plotWidth, plotHeight, columnDepth, width, height } = layout;
  const middle = left + plotWidth / 2;
  const bottom = layout.bottom + columnDepth;
  const centered = (text: string, size: number, most: number, place: Record<string, string | number>) =>
    text === ""
      ? ""
      : label(fitWidth(visible(text), most, size), {
          class: "t k",
          "font-size": size,
          "text-anchor": "middle",
          ...place,
        });
  const room = 2 * Math.min(middle, width - middle) - 16;
  const yTransform = `translate(28 ${coordinate(top + plotHeight / 2)}) rotate(-90)`;
  return (
    centered(words.title, 18, room, { x: middle, y: top - 20 }) +
    centered(words.xTitle, 15, room, { x: middle, y: bottom + 20 }) +
    centered(words.yTitle, 15, plotHeight + top, { transform: yTransform }) +
    (note
      ? label(fitWidth(visible(note), width - 32, 12), { class: "t", x: 16, y: height - 12, "font-size": 12 })
      : "")
  );
}
