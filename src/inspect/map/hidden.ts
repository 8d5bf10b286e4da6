import { visibleKeys } from "../mask.ts";
import type { TraceLayer } from "../trace/trace.ts";

/** Which keys of a layer are hidden from a query: those outside its mask's range, and those that its mask names. */
export interface Hidden {
  /** The keys [start, end) that may be visible. */
  range(t: number): [start: number, end: number];
  /** Within that range. */
  has(h: number, t: number, s: number): boolean;
}

export function hiddenKeys({
  maskSpec,
  mask,
  T,
  S,
}: Pick<TraceLayer, "maskSpec" | "mask" | "T" | "S">): Hidden {
  const perHead = mask?.shape.length === 3 ? T * S : 0;
  const data = mask?.data;
  return {
    range: (t) => visibleKeys(maskSpec, t, S),
    has: data ? (h, t, s) => data[h * perHead + t * S + s] === 0 : () => false,
  };
}
