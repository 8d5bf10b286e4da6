import type { ModelLayer } from "../../src/elements/model.ts";
import { strongest } from "../../src/elements/parts/sentences.ts";
import { MASKED, NOT_FINITE, VALUE } from "../../src/inspect/cells.ts";
import { type ScoreSteps, scoreSteps } from "../../src/inspect/map/score.ts";
import type { TraceLayer } from "../../src/inspect/trace/trace.ts";

/** What is to be said of one weight. */
export interface CellFacts {
  readonly kind: "weight" | "masked" | "not finite";
  readonly weight: number;
  /** 1 is the largest of the `seen` keys that the query may attend to. */
  readonly rank: number;
  readonly seen: number;
  /** The strongest keys of the query, the strongest first. */
  readonly top: readonly { readonly key: number; readonly weight: number }[];
  /** Where the layer has q and k. */
  readonly score: ScoreSteps | undefined;
}

/** The facts of a cell, of one head of a layer; `traced` is the same layer in its trace. */
export function cellFacts(
  layer: ModelLayer,
  traced: TraceLayer | undefined,
  [head, query, key]: readonly [head: number, query: number, key: number],
  mostKeys: number,
): CellFacts {
  const cells = layer.map.row(head, query);
  const { values, kinds } = cells;
  const weight = values[key]!;
  const seen = kinds.reduce((sum, kind) => sum + Number(kind !== MASKED), 0);
  const larger = values.reduce((sum, one, s) => sum + Number(kinds[s] === VALUE && one > weight), 0);
  const kind = kinds[key] === MASKED ? "masked" : kinds[key] === NOT_FINITE ? "not finite" : "weight";
  return {
    ...{ kind, weight, seen, rank: larger + 1 },
    top: strongest(cells, mostKeys).map((s) => ({ key: s, weight: values[s]! })),
    score: traced && scoreSteps(traced, head, query, key),
  };
}
