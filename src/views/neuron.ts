import { MASKED, type Trace } from "../inspect/index.ts";
import { neuronView } from "../viz/index.ts";
import { chooseHead, nameOf, titled, tokensOf } from "./layers.ts";
import { type DrawOptions, refuse, within } from "./options.ts";

/** Which channels make the scores of one query. */
export function neuronsView(op: string, trace: Trace, options: DrawOptions): string {
  const chosen = chooseHead(op, "neuron", trace, options);
  const { layer, head, map } = chosen;
  const { q, k, H, Hkv, T, S, D = 0, scale } = layer;
  if (!q || !k) {
    const rule = "have q and k for the view neuron";
    refuse(op, layer.name, rule, "weights alone", "capture the model, which keeps both");
  }
  const t = within(op, "query", options.query ?? T - 1, T, `tokens["${layer.alignQ}"]`);
  const { values, kinds } = map.row(head, t);
  const seen = Array.from(kinds.keys()).filter((s) => kinds[s] !== MASKED);
  const { rowTokens, columnTokens } = tokensOf(trace, layer);
  if (seen.length === 0) {
    const place = `query ${t} of ${nameOf(chosen)}`;
    refuse(op, place, "see a key for the view neuron", "none: all are masked", "choose another query");
  }
  const row = (head * T + t) * D;
  const keys = Math.floor((head * Hkv) / H) * S;
  return neuronView(
    {
      query: q.slice(row, row + D),
      keys: seen.map((s) => k.slice((keys + s) * D, (keys + s + 1) * D)),
      ...{ queryToken: rowTokens[t]!, keyTokens: seen.map((s) => columnTokens[s]!) },
      weights: seen.map((s) => values[s]!),
      ...(scale !== undefined && { scale }),
    },
    {
      title: options.title ?? titled(trace, `${nameOf(chosen)}, query ${t}`),
      ...(options.theme && { theme: options.theme }),
    },
  );
}
