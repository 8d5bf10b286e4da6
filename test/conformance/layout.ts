/**
 * Layouts for paths that take [B, H, T, D] only: arrays come in from the case's layout, and results go back into it.
 * Where a path learns `layout`, it drops this.
 */
import { placesOf, toLayout } from "../../conformance/inputs.mjs";
import { size } from "../../src/core/notation.ts";
import type { Results, Task } from "./suite.ts";

const SHAPES = {
  q: ["B", "H", "T", "D"],
  k: ["B", "Hkv", "S", "D"],
  v: ["B", "Hkv", "S", "Dv"],
  dout: ["B", "H", "T", "Dv"],
} as const;

/** One array in "bhtd"; what a packed array does not have becomes NaN, for nobody may look there. */
function unfold(task: Task, name: keyof typeof SHAPES): Float64Array {
  const places = placesOf(task.case, name);
  if (!places) return task[name];
  const out = new Float64Array(size(SHAPES[name].map((letter) => task.sizes[letter]))).fill(Number.NaN);
  for (const [e, at] of places.entries()) out[at] = task[name][e]!;
  // Nothing hides the gradient of an output: where there is no query it is 0.
  return name === "dout" ? out.map((x) => (Number.isNaN(x) ? 0 : x)) : out;
}

/** Runs a path that knows no layouts on a task that has one. */
export async function inBhtd(task: Task, run: (task: Task) => Results | Promise<Results>): Promise<Results> {
  const arrays = Object.fromEntries(
    (["q", "k", "v", "dout"] as const).map((name) => [name, unfold(task, name)]),
  );
  const results = await run({ ...task, ...arrays });
  const laidOut = Object.entries(results).map(([name, values]) => [
    name,
    toLayout(task.case, name, Float64Array.from(values)),
  ]);
  return Object.fromEntries(laidOut);
}
