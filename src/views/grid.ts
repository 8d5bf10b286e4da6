import type { Cells, TraceLayer } from "../inspect/index.ts";
import { thumbnailCells, thumbnails } from "../inspect/thumbnails.ts";
import { grid, terminalGrid } from "../viz/index.ts";
import { mapOf, titled } from "./layers.ts";
import type { PictureOptions } from "./options.ts";
import { TWO_HEADS, type ViewRecord } from "./view.ts";

const SHOWN = "every head of every layer";

/** Every head of every layer, small. */
export const gridView: ViewRecord<"grid"> = {
  name: "grid",
  label: "All heads",
  title: "All heads",
  caption: "All heads of all layers, to see which is worth a look.",
  needs: ["layers"],
  suits: TWO_HEADS,
  chooses: [],
  svg(trace, options) {
    const { palette, theme, title = titled(trace, SHOWN) } = options;
    const maps = trace.layers.map((layer) => smallMaps(layer, options));
    return grid(maps, { title, ...(palette && { palette }), ...(theme && { theme }) });
  },
  text(trace, options) {
    const { depth, unicode, columns, palette, title = titled(trace, SHOWN) } = options;
    const maps = trace.layers.map((layer) => smallMaps(layer, options));
    return terminalGrid(maps, { depth, unicode, columns, title, ...(palette && { palette }) });
  },
};

/** A small map of each head: those of the trace where it has them. */
function smallMaps(layer: TraceLayer, options: PictureOptions): Cells[] {
  const thumb = layer.thumb ?? thumbnails(mapOf(layer, options));
  return Array.from({ length: layer.H }, (_, head) => thumbnailCells(thumb, head));
}
