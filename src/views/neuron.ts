import { MASKED } from "../inspect/index.ts";
import { neuron } from "../viz/index.ts";
import { chooseHead, nameOf, titled, tokensOf } from "./layers.ts";
import { refuse } from "./named.ts";
import { within } from "./options.ts";
import type { ViewRecord } from "./view.ts";

/** A row for each key: more of them are no picture on a page. */
const MOST_KEYS = 128;

/** Which channels make the scores of one query. */
export const neuronView: ViewRecord<"neuron"> = {
  name: "neuron",
  label: "Neurons",
  title: "Neurons: query times key",
  caption: "Which channels of query and keys make the scores of one query.",
  needs: ["layers"],
  suits: { rule: "have q and k", isMet: ({ layers }) => layers.some(({ q, k }) => q && k) },
  chooses: ["layer", "head", "query"],
  example: { layer: 1, head: 3, query: 4 },
  svg(trace, options) {
    const chosen = chooseHead("neuron", trace, options);
    const { layer, head, map } = chosen;
    const { q, k, H, Hkv, T, S, D = 0, scale } = layer;
    if (!q || !k) {
      const rule = "have q and k for the view neuron";
      return refuse(layer.name, rule, "weights alone", "capture the model, which keeps both");
    }
    const t = within("query", options.query ?? T - 1, T, `tokens["${layer.alignQ}"]`);
    const { values, kinds } = map.row(head, t);
    const seen = Array.from(kinds.keys()).filter((s) => kinds[s] !== MASKED);
    const { rowTokens, columnTokens } = tokensOf(trace, layer);
    if (seen.length === 0) {
      const place = `query ${t} of ${nameOf(chosen)}`;
      refuse(place, "see a key for the view neuron", "none: all are masked", "choose another query");
    }
    const row = (head * T + t) * D;
    const keys = Math.floor((head * Hkv) / H) * S;
    const { theme, title = titled(trace, `${nameOf(chosen)}, query ${t}`) } = options;
    return neuron(
      {
        query: q.slice(row, row + D),
        keys: seen.map((s) => k.slice((keys + s) * D, (keys + s + 1) * D)),
        queryToken: rowTokens[t]!,
        keyTokens: seen.map((s) => columnTokens[s]!),
        weights: seen.map((s) => values[s]!),
        ...(scale !== undefined && { scale }),
      },
      { title, ...(theme && { theme }) },
    );
  },
  page({ layers }, { layer = 0 }, draw) {
    const { q, k, S } = layers[[layer].flat()[0]!]!;
    return q && k && S <= MOST_KEYS ? [{ caption: neuronView.caption, svg: draw() }] : [];
  },
};
