import { type Trace, valueNormMap } from "../inspect/index.ts";
import { type HeatmapOptions, heatmap } from "../viz/index.ts";
import { type ChosenHead, chooseHead, headData, titleOf } from "./layers.ts";
import { type DrawOptions, refuse } from "./options.ts";

/** The weights of one head. */
export function heatmapView(op: string, trace: Trace, options: DrawOptions): string {
  const { title, ...chosen } = weighedHead(op, trace, options);
  return drawMap(trace, chosen, { ...options, title, ...(options.valueNorms && OF_NORMS) });
}

/** What the colours of weights times lengths are. */
const OF_NORMS = { domain: "data", value: "weight × length of the value" } as const;

/** A head as the heat map shows it: its weights, or these times the lengths of the values. */
export function weighedHead(
  op: string,
  trace: Trace,
  options: DrawOptions,
): ChosenHead & { readonly title: string } {
  const chosen = chooseHead(op, "heatmap", trace, options);
  const { title = titleOf(trace, chosen) } = options;
  if (!options.valueNorms) return { ...chosen, title };
  const { vnorm, name, index } = chosen.layer;
  if (vnorm) {
    const map = valueNormMap(chosen.map, vnorm.slice());
    return { ...chosen, map, title: options.title ?? `${title}, weights × lengths of the values` };
  }
  const rule = `have the length of each value for valueNorms: vnorm.${index} [Hkv, S]`;
  return refuse(op, name, rule, "none", "capture it with valueNorms, or leave it out");
}

/** A map as a heat map, with the words of its layer. */
export function drawMap(
  trace: Trace,
  chosen: ChosenHead,
  options: DrawOptions & Pick<HeatmapOptions, "note" | "domain" | "value">,
): string {
  const { data, note, isOfShares } = headData(trace, chosen);
  const { layer } = chosen;
  const notes = [note, options.note].filter(Boolean).join(" ");
  const { palette, colorScale, domain, value, theme, onWarning } = options;
  return heatmap(data, {
    ...{ title: options.title ?? titleOf(trace, chosen), ...axesOf(layer), numbers: true },
    ...(notes && { note: notes }),
    ...(palette && { palette }),
    ...(colorScale && { colorScale }),
    ...(domain && { domain }),
    ...(value && { value }),
    ...(theme && { theme }),
    ...(onWarning && isOfShares && { onWarning }),
  });
}

/** What the axes of a layer show. */
export function axesOf({ alignQ, alignK }: ChosenHead["layer"]) {
  return { xTitle: `keys: ${alignK}`, yTitle: `queries: ${alignQ}` };
}
