import { formatted } from "../parts/stage-map.ts";
import type { Axis, Stage } from "./preset.ts";

/** The names of the places along an axis. */
export function namesOf(axis: Axis, length: number): readonly string[] {
  return axis === "" ? [] : Array.from({ length }, (_, n) => `${axis}${n}`);
}

/** What stands under the cursor, from the first stage to the last, as one sentence. */
export function sentenceOf(stages: readonly Stage[], t: number, s: number): string {
  const pairs = stages.filter(({ axes }) => axes[0] === "t" && axes[1] === "s");
  const said = pairs.flatMap(({ title, values }) => {
    const value = values[t]?.[s];
    if (value === undefined) return [];
    return [`${title} ${value === Number.NEGATIVE_INFINITY ? "hidden" : formatted(value)}`];
  });
  if (said.length === 0) return "";
  const weights = pairs.findLast(({ colors }) => colors === "weights")?.values[t];
  const sum = weights?.reduce((total, weight) => total + weight, 0);
  const rows = weights ? `; the weights of query ${t} sum to ${formatted(sum!)}` : "";
  return `Query t${t} and key s${s}: ${said.join(" → ")}${rows}.`;
}
