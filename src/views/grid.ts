import { type Trace, type TraceLayer, thumbnails } from "../inspect/index.ts";
import { modelGrid } from "../viz/index.ts";
import { mapOf, needLayers, titled } from "./layers.ts";
import type { DrawOptions } from "./options.ts";

/** Every head of every layer, small. */
export function gridView(op: string, trace: Trace, options: DrawOptions): string {
  const layers = needLayers(op, "grid", trace).map((layer) => smallMaps(layer, options));
  const { palette, theme, title = titled(trace, "every head of every layer") } = options;
  return modelGrid(layers, { title, ...(palette && { palette }), ...(theme && { theme }) });
}

/** A small map of each head: those of the trace where it has them; NaN where a block is hidden. */
export function smallMaps(layer: TraceLayer, options: Pick<DrawOptions, "computer">): number[][][] {
  const thumb = layer.thumb ?? thumbnails(mapOf(layer, options));
  const [, rows = 0, columns = 0] = thumb.shape;
  const at = (cell: number) => (thumb.isMasked(cell) ? Number.NaN : thumb.at(cell));
  return Array.from({ length: layer.H }, (_, h) =>
    Array.from({ length: rows }, (_, t) =>
      Array.from({ length: columns }, (_, s) => at((h * rows + t) * columns + s)),
    ),
  );
}
