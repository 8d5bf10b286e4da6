import { type AnyCells, VALUE } from "../inspect/cells.ts";
import { PALETTES, type Palette } from "./color.ts";
import { fitCells, isNested, type Numbers, refuseEmpty, wordlessCells } from "./data.ts";
import { oneOf } from "./options.ts";
import { refuse } from "./refuse.ts";
import { makeScale } from "./scale.ts";
import { element, fingerprint, label } from "./svg/markup.ts";
import { raster } from "./svg/raster.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, PAD, titledDocument } from "./svg/titled.ts";

export interface GridOptions {
  /** @default "viridis" */
  readonly palette?: Palette;
  /** Side of one head's map in pixels. @default 72 */
  readonly cell?: number;
  /** @default "Every head of every layer"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "Every head of every layer";
const GAP = 8;
const LEFT = 64;
const HEADER = 24;
/** More cells on a side than this are less than two pixels. */
const MOST_CELLS = 32;

/**
 * A whole model at a glance: one small map for each head, layers from top to bottom, heads from left to right.
 *
 * All maps share the scale 0 to 1 and are max-pooled to at most 32 × 32 cells, so that no hot cell is lost. Layers may
 * have different numbers of heads. Cost: O(L·H·T·S). Pure: the same data give the same text, without a DOM.
 * View: Vig 2019, "A Multiscale Visualization of Attention in the Transformer Model", arxiv.org/abs/1906.05714.
 *
 * @throws OptionError OPTION · ShapeError SHAPE when rows differ in length
 * @example
 * const head = [[1, 0], [0.5, 0.5]];
 * grid([[head, head], [head, head]]); // two layers of two heads
 */
export function grid(
  layers: readonly (readonly (Numbers | AnyCells)[])[],
  options: GridOptions = {},
): string {
  const op = "grid";
  const palette = oneOf(op, "palette", options.palette ?? "viridis", PALETTES);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const { title = TITLE, cell = 72 } = options;
  if (!(cell >= 24 && Number.isFinite(cell))) {
    refuse(op, "cell", "24 pixels or more", String(cell), "or leave it out");
  }
  const most = Math.max(0, ...layers.map((heads) => heads.length));
  if (most === 0) refuseEmpty(op, layers.length, 0);
  const matrices = layers.map((heads) =>
    heads.map((weights) => fitCells(cellsOfHead(op, weights), MOST_CELLS, MOST_CELLS)),
  );
  const top = belowTitle(title) + HEADER;
  const step = cell + GAP;
  const width = LEFT + most * step - GAP + PAD;
  const bottom = top + layers.length * step - GAP;
  const height = bottom + PAD + 18;
  const scale = makeScale(op, matrices.flat()[0]!);
  const maps = matrices.flatMap((heads, l) =>
    heads.map((matrix, h) => {
      const [left, up] = [LEFT + h * step, top + l * step];
      const cells = raster([matrix], {
        palette,
        position: scale.position,
        left,
        top: up,
        cellWidth: cell / matrix.columns,
        cellHeight: cell / matrix.rows,
      });
      const name = element("title", {}, `layer ${l}, head ${h}`);
      const frame = element("rect", { class: "l", x: left, y: up, width: cell, height: cell });
      return element("g", {}, name + cells + frame);
    }),
  );
  const rows = layers.map((_, l) =>
    label(`layer ${l}`, {
      class: "t",
      x: LEFT - 8,
      y: top + l * step + cell / 2 + 4,
      "font-size": 12,
      "text-anchor": "end",
    }),
  );
  const columns = Array.from({ length: most }, (_, h) =>
    label(`head ${h}`, {
      class: "t",
      x: LEFT + h * step + cell / 2,
      y: top - 8,
      "font-size": 12,
      "text-anchor": "middle",
    }),
  );
  const id = fingerprint(
    [theme, palette, title, cell, ...matrices.flat().map(({ values }) => values)].map(String).join("\n"),
  );
  const heads = matrices.flat().length;
  const isPartial = matrices.flat().some(({ kinds }) => kinds.some((kind) => kind !== VALUE));
  const note = `0 dark, 1 light${isPartial ? "; grey: masked" : ""}`;
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `${layers.length} layers, ${heads} heads; a map of each, from 0 (dark) to 1 (light).`,
    width,
    height,
    note,
    content: [...columns, ...rows, element("g", { "shape-rendering": "crispEdges" }, maps.join(""))],
  });
}

function cellsOfHead(op: string, weights: Numbers | AnyCells): AnyCells {
  if (!("kinds" in weights) && (weights.length === 0 || !isNested(weights))) {
    const got = `${weights.length} numbers for one`;
    refuse(op, "layers", "rows of weights for each head", got, "pass layers[l][h][t][s]");
  }
  return wordlessCells(op, weights);
}
