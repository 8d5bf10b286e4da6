import type { Trace } from "../inspect/index.ts";
import { heatmap } from "../viz/index.ts";
import { type ChosenHead, chooseHead, headData, titleOf } from "./layers.ts";
import type { DrawOptions } from "./options.ts";

/** The weights of one head. */
export function heatmapView(op: string, trace: Trace, options: DrawOptions): string {
  return drawMap(trace, chooseHead(op, "heatmap", trace, options), options);
}

/** A map as a heat map, with the words of its layer. */
export function drawMap(trace: Trace, chosen: ChosenHead, options: DrawOptions & { note?: string }): string {
  const { data, note, isOfShares } = headData(trace, chosen);
  const { layer } = chosen;
  const notes = [note, options.note].filter(Boolean).join(" ");
  const { palette, colorScale, theme, onWarning } = options;
  return heatmap(data, {
    ...{ title: options.title ?? titleOf(trace, chosen), ...axesOf(layer), numbers: true },
    ...(notes && { note: notes }),
    ...(palette && { palette }),
    ...(colorScale && { colorScale }),
    ...(theme && { theme }),
    ...(onWarning && isOfShares && { onWarning }),
  });
}

/** What the axes of a layer show. */
export function axesOf({ alignQ, alignK }: ChosenHead["layer"]) {
  return { xTitle: `keys: ${alignK}`, yTitle: `queries: ${alignQ}` };
}
