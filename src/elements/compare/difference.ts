import { MASKED, NOT_FINITE, VALUE } from "../../inspect/cells.ts";
import { AttentionMap } from "../../inspect/map/map.ts";
import type { ModelLayer } from "../model.ts";

/** One head of a layer. */
export interface Head {
  readonly layer: ModelLayer;
  readonly head: number;
}

/** A − B as a map of one head; what is masked in either is masked. Only rows that are asked for are computed. */
export function differenceMap(a: Head, b: Head): AttentionMap {
  const { T, S } = a.layer;
  let last:
    | { t: number; one: ReturnType<AttentionMap["row"]>; other: ReturnType<AttentionMap["row"]> }
    | undefined;
  return new AttentionMap(
    { H: 1, T, S, source: "dense", rowSums: "free" },
    {
      range: () => [0, S],
      read(_, t, from, to, { values, kinds }, at) {
        if (last?.t !== t) last = { t, one: a.layer.map.row(a.head, t), other: b.layer.map.row(b.head, t) };
        const { one, other } = last;
        for (let s = from, e = at; s < to; s++, e++) {
          const pair = [one.kinds[s], other.kinds[s]];
          kinds[e] = pair.includes(MASKED) ? MASKED : pair.includes(NOT_FINITE) ? NOT_FINITE : VALUE;
          values[e] = kinds[e] === VALUE ? one.values[s]! - other.values[s]! : 0;
        }
      },
    },
  );
}

/** The largest |A − B|, and where it is; undefined where nothing can be compared. */
export function largestDifference(
  map: AttentionMap,
): { readonly most: number; readonly query: number; readonly key: number } | undefined {
  let found: { most: number; query: number; key: number } | undefined;
  for (let t = 0; t < map.T; t++) {
    const { values, kinds } = map.row(0, t);
    for (let s = 0; s < values.length; s++)
      if (kinds[s] === VALUE && Math.abs(values[s]!) > (found?.most ?? -1))
        found = { most: Math.abs(values[s]!), query: t, key: s };
  }
  return found;
}
