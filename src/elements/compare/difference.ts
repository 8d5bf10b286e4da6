import { MASKED, VALUE } from "../../inspect/cells.ts";
import { AttentionMap } from "../../inspect/map/map.ts";
import type { ModelLayer } from "../model.ts";
import { TURN_MS } from "../parts/turn.ts";

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
          // VALUE is 0, so what remains without MASKED is NOT_FINITE or VALUE.
          const kind = one.kinds[s]! | other.kinds[s]!;
          kinds[e] = kind & MASKED ? MASKED : kind;
          values[e] = kind === VALUE ? one.values[s]! - other.values[s]! : 0;
        }
      },
    },
  );
}

/** A cell, and |A − B| there. */
export interface Difference {
  readonly most: number;
  readonly query: number;
  readonly key: number;
}

/** The largest |A − B|, and where it is; undefined where nothing can be compared. */
export async function largestDifference(map: AttentionMap): Promise<Difference | undefined> {
  let found: Difference | undefined;
  let until = performance.now() + TURN_MS;
  for (let t = 0; t < map.T; t++) {
    const { values, kinds } = map.row(0, t);
    for (let s = 0; s < values.length; s++)
      if (kinds[s] === VALUE && Math.abs(values[s]!) > (found?.most ?? -1))
        found = { most: Math.abs(values[s]!), query: t, key: s };
    if (performance.now() < until) continue;
    await new Promise((turn) => setTimeout(turn));
    until = performance.now() + TURN_MS;
  }
  return found;
}
