import type { TraceLayer } from "../trace/trace.ts";

/** Whether a layer's mask hides a key from a query; undefined where there is no mask but a `maskSpec`. */
export function hiddenBy({
  mask,
  T,
  S,
}: Pick<TraceLayer, "mask" | "T" | "S">): ((h: number, t: number, s: number) => boolean) | undefined {
  if (!mask) return undefined;
  const { data } = mask;
  const perHead = mask.shape.length === 3 ? T * S : 0;
  return (h, t, s) => data[h * perHead + t * S + s] === 0;
}
