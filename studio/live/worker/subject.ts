import type * as tf from "@tensorflow/tfjs-core";
import type { Intervention } from "../../../src/intervene/intervention.ts";
import type { LayerFacts } from "../operate-protocol.ts";

/** A model with a text, as operations work on it: one pass with every answer known. */
export interface Subject {
  /** In the order of the calls of attention. */
  readonly layers: readonly LayerFacts[];
  /** Scores of what comes next, [T, V]. */
  run(): tf.Tensor2D;
  /** Of each row the column of `run` that should come next. */
  readonly answers: readonly number[];
  /** What the columns of the answers are, as people read them. */
  readonly tokens: readonly string[];
  /** What the model writes by itself, the likeliest each time. */
  write(interventions: readonly Intervention[]): string;
  /** The lines that define `run` and `answers` in a program. */
  readonly code: readonly string[];
}

/**
 * Interventions for a pass of which only the first `T` tokens are written: later rows are not there yet, and a pinned row of
 * earlier tokens is cut, whose later weights causality makes 0.
 *
 * @param isWritten whether queries, or keys, of a layer are the written tokens
 */
export function begun(
  interventions: readonly Intervention[],
  T: number,
  isWritten: (layer: number) => { queries: boolean; keys: boolean },
): Intervention[] {
  return interventions.flatMap((one): Intervention[] => {
    const layer = typeof one.layer === "number" ? one.layer : (one.layer?.[0] ?? 0);
    const { queries, keys } = isWritten(layer);
    const shown: Record<string, unknown> = { ...one };
    for (const [name, isCut] of [
      ["queries", queries],
      ["keys", keys],
    ] as const) {
      const given = shown[name];
      if (!isCut || given === undefined) continue;
      const left = (typeof given === "number" ? [given] : (given as readonly number[])).filter((n) => n < T);
      if (left.length === 0) return [];
      shown[name] = left;
    }
    if (one.do === "knockOut" && one.edges && (queries || keys)) {
      const left = one.edges.filter(([query, key]) => (!queries || query < T) && (!keys || key < T));
      if (left.length === 0) return [];
      shown.edges = left;
    }
    if (one.do === "pin" && keys) shown.weights = (one.weights as readonly number[]).slice(0, T);
    return [shown as unknown as Intervention];
  });
}

/** The column of the largest score of the last row. */
export function likeliest(scores: ArrayLike<number>, V: number): number {
  const from = scores.length - V;
  let best = 0;
  for (let column = 1; column < V; column++) if (scores[from + column]! > scores[from + best]!) best = column;
  return best;
}
