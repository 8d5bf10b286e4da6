import type { Trace } from "../inspect/index.ts";
import { type HeatmapOptions, heatmap, terminalHeatmap } from "../viz/index.ts";
import { type ChosenHead, headData, titleOf } from "./layers.ts";
import type { PictureOptions, TextOptions } from "./options.ts";

/** How a map is drawn: its colours end where the weights of a typical query do, unless `domain` says otherwise. */
type MapOptions = Pick<HeatmapOptions, "note" | "domain" | "value">;

/** A map as a heat map, with the words of its layer. */
export function drawMap(trace: Trace, chosen: ChosenHead, options: PictureOptions & MapOptions): string {
  const { data, note, isOfShares } = headData(trace, chosen);
  const notes = [note, options.note].filter(Boolean).join(" ");
  const { palette, colorScale, domain = "typical", value, theme, onWarning } = options;
  return heatmap(data, {
    title: options.title ?? titleOf(trace, chosen),
    ...axesOf(chosen.layer),
    numbers: true,
    domain,
    ...(notes && { note: notes }),
    ...(palette && { palette }),
    ...(colorScale && { colorScale }),
    ...(value && { value }),
    ...(theme && { theme }),
    ...(onWarning && isOfShares && { onWarning }),
  });
}

/** A terminal shows no more; maps are pooled while they are read where they are larger. */
const MOST_CELLS = 2048;

/** A map in a terminal. */
export function showMap(trace: Trace, chosen: ChosenHead, options: TextOptions & MapOptions): string {
  const { data, note, isOfShares } = headData(trace, chosen, MOST_CELLS);
  const { depth, unicode, columns, isTTY, format, lines, palette, colorScale, onWarning } = options;
  const drawn = terminalHeatmap(data, {
    depth,
    unicode,
    columns,
    title: options.title ?? titleOf(trace, chosen),
    ...axesOf(chosen.layer),
    domain: options.domain ?? "typical",
    ...(isTTY !== undefined && { isTTY }),
    ...(format && { format }),
    ...(lines !== undefined && { lines }),
    ...(palette && { palette }),
    ...(colorScale && { colorScale }),
    ...(onWarning && isOfShares && { onWarning }),
  });
  return note ? `${drawn}\nbefore that: ${unicode ? note : note.replaceAll("×", "x")}` : drawn;
}

/** What the axes of a layer show. */
export function axesOf({ alignQ, alignK }: ChosenHead["layer"]) {
  return { xTitle: `keys: ${alignK}`, yTitle: `queries: ${alignQ}` };
}
