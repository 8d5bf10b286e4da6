import { VALUE } from "../../inspect/cells.ts";
import type { ModelLayer } from "../model.ts";
import type { Pin } from "../selection.ts";
import { short, weightText } from "./sentences.ts";

/** Cells from one corner to the other, both inclusive, the corners in any order; `to` is missing while it is drawn. */
export interface Region {
  readonly from: Pin;
  readonly to?: Pin | undefined;
}

/** Its sides: the first and the last query and key. */
export function sides({ from, to = from }: Region) {
  const sorted = (a: number, b: number) => (a < b ? [a, b] : [b, a]) as [first: number, last: number];
  return { queries: sorted(from.query, to.query), keys: sorted(from.key, to.key) };
}

/** `queries 2–5, keys 1–3: 41 % of what these queries give; strongest “sat” → “cat” (0.412)` */
export function regionSentence(layer: ModelLayer, head: number, region: Region): string {
  const { queries, keys } = sides(region);
  let [inside, all, most] = [0, 0, -Infinity];
  let best = "";
  for (let t = queries[0]; t <= queries[1]; t++) {
    const { values, kinds } = layer.map.row(head, t);
    for (let s = 0; s < values.length; s++) {
      if (kinds[s] !== VALUE) continue;
      const weight = values[s]!;
      all += Math.abs(weight);
      if (s < keys[0] || s > keys[1]) continue;
      inside += Math.abs(weight);
      if (weight <= most) continue;
      most = weight;
      best = `; strongest “${short(layer.rowTokens[t]!)}” → “${short(layer.columnTokens[s]!)}” (${weightText(weight)})`;
    }
  }
  const share = all > 0 ? Math.round((100 * inside) / all) : 0;
  return `queries ${queries.join("–")}, keys ${keys.join("–")}: ${share} % of what these queries give${best}`;
}
