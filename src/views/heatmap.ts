import { type Trace, valueNormMap } from "../inspect/index.ts";
import { type ChosenHead, chooseHead, nameOf, titleOf } from "./layers.ts";
import { drawMap, showMap } from "./map.ts";
import { refuse } from "./named.ts";
import type { PictureOptions } from "./options.ts";
import type { ViewRecord } from "./view.ts";

/** The weights of one head. */
export const heatmapView: ViewRecord<"heatmap"> = {
  name: "heatmap",
  label: "Heat map",
  title: "Attention weights",
  caption: "One head: a row for each query, a column for each key.",
  needs: ["layers"],
  chooses: ["layer", "head", "scale"],
  example: { head: 1 },
  svg(trace, options) {
    const { title, ...chosen } = weighed(trace, options);
    const norms = { domain: "data", value: "weight × length of the value" } as const;
    return drawMap(trace, chosen, { ...options, title, ...(options.valueNorms && norms) });
  },
  text(trace, options) {
    const { title, ...chosen } = weighed(trace, options);
    return showMap(trace, chosen, { ...options, title, ...(options.valueNorms && { domain: "data" }) });
  },
  cells(trace, options) {
    const chosen = chooseHead("heatmap", trace, options);
    return { ...chosen, shown: nameOf(chosen) };
  },
};

/** A head as the heat map shows it: its weights, or these times the lengths of the values. */
function weighed(trace: Trace, options: PictureOptions): ChosenHead & { readonly title: string } {
  const chosen = chooseHead("heatmap", trace, options);
  const { title = titleOf(trace, chosen) } = options;
  if (!options.valueNorms) return { ...chosen, title };
  const { vnorm, name, index } = chosen.layer;
  if (vnorm) {
    const map = valueNormMap(chosen.map, vnorm.slice());
    return { ...chosen, map, title: options.title ?? `${title}, weights × lengths of the values` };
  }
  const rule = `have the length of each value for valueNorms: vnorm.${index} [Hkv, S]`;
  return refuse(name, rule, "none", "capture it with valueNorms, or leave it out");
}
