import { MASKED, type Trace, VALUE } from "../inspect/index.ts";
import { colorAt, encodePng, paletteBytes, paletteIndex } from "../viz/index.ts";
import { colorPosition } from "../viz/scale.ts";
import type { DrawOptions } from "./draw-trace.ts";
import { headCells } from "./layers.ts";
import { PNG_VIEWS, recordOf } from "./list.ts";
import { named, refuse } from "./named.ts";
import { checkNeeds } from "./view.ts";

export interface PngTraceOptions extends DrawOptions {
  /** Pixels a side of one cell. @default as many as make the longer side at most 512 pixels, 1 at least */
  readonly cell?: number;
}

const SIDE = 512;
/** Larger maps are pooled: 16 million pixels are enough. */
const MOST_CELLS = 4096;
const GREY = [138, 138, 138] as const;
const RED = [197, 34, 31] as const;

/**
 * The cells of one map as a PNG file, without words: row t from the top, key s from the left.
 *
 *     pixel = ⌊256·f(weight)⌋, an index into the palette;    f is what `colorScale` says, by default the weight itself
 *
 * Where a cell is masked (grey, #8a8a8a) or not finite (red, #c5221f) the file holds the colours themselves, as the palette
 * has no room for a 257th. Above 4096 cells a side the map is max-pooled. The `tEXt` chunks `Title` and `heed` say what is
 * shown; `heed` is JSON. Cost: O(T·S), a byte a cell. Pure.
 *
 * @throws OptionError OPTION
 * @example
 * const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
 * const tokens = { src: ["I", "am"], tgt: ["suis"] };
 * const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
 * decodePng(pngTrace(trace, { cell: 1 })).width; // 2
 */
export function pngTrace(trace: Trace, options: PngTraceOptions = {}): Uint8Array {
  return named("pngTrace", () => encodeCells(trace, options));
}

function encodeCells(trace: Trace, options: PngTraceOptions): Uint8Array {
  const { view = "heatmap", palette = "viridis", colorScale = "linear" } = options;
  const record = recordOf(view);
  if (!record?.cells) {
    const rule = `be one of ${PNG_VIEWS.join(", ")}, whose cells can be pixels`;
    const remedy = "draw it with its words: renderPng(drawTrace(…)), heed png without --cell";
    return refuse("view", rule, view, remedy);
  }
  if (options.valueNorms) {
    const rule = "be left out where cells are pixels, whose colours are those of 0 to 1";
    refuse("valueNorms", rule, "true", "draw it with its words");
  }
  checkNeeds(record, trace);
  const chosen = record.cells(trace, options);
  const { layer, head, map } = chosen;
  const { cells, factor } = headCells(map, head, MOST_CELLS);
  const { rows, columns, values, kinds } = cells;
  const { cell = Math.max(1, Math.floor(SIDE / Math.max(rows, columns))) } = options;
  if (!(Number.isSafeInteger(cell) && cell >= 1 && cell * Math.max(rows, columns) <= 4 * MOST_CELLS)) {
    const most = Math.floor((4 * MOST_CELLS) / Math.max(rows, columns));
    refuse(
      "cell",
      `be a whole number from 1 to ${most} for ${rows} × ${columns} cells`,
      String(cell),
      "choose one",
    );
  }
  const state = {
    view,
    layer: layer.index,
    ...(view === "heatmap" && { head }),
    shape: [layer.T, layer.S],
    palette,
    domain: [0, 1],
    ...(colorScale !== "linear" && { colorScale }),
    cell,
    ...(factor > 1 && { pooled: factor }),
  };
  const { title = chosen.shown } = options;
  const [width, height] = [columns * cell, rows * cell];
  const position = (at: number) => colorPosition(values[at]!, 0, 1, colorScale);
  const isPlain = kinds.every((kind) => kind === VALUE);
  const channels = isPlain ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    if (y % cell > 0) {
      data.copyWithin(y * width * channels, (y - 1) * width * channels, y * width * channels);
      continue;
    }
    for (let x = 0; x < width; x++) {
      const at = Math.floor(y / cell) * columns + Math.floor(x / cell);
      const pixel = (y * width + x) * channels;
      if (isPlain) data[pixel] = paletteIndex(position(at));
      else if (kinds[at] === VALUE) data.set(colorAt(palette, position(at)), pixel);
      else data.set(kinds[at] === MASKED ? GREY : RED, pixel);
    }
  }
  const text = { Title: title, heed: JSON.stringify(state) };
  return encodePng(
    { width, height, channels, data, ...(isPlain && { palette: paletteBytes(palette) }) },
    { text },
  );
}
