import { MASKED, NOT_FINITE } from "../../inspect/cells.ts";
import type { ModelLayer } from "../model.ts";
import type { ElementState } from "../url-state.ts";

/** Queries and keys from the first to the last, both inclusive. */
export interface Part {
  readonly queries: readonly [first: number, last: number];
  readonly keys: readonly [first: number, last: number];
}

/** A part of a map as JSON; `importTrace` and `heed show` read it. */
export interface MapJson {
  readonly version: 1;
  readonly state: ElementState;
  readonly selection: Part;
  readonly rowTokens: readonly string[];
  readonly columnTokens: readonly string[];
  /** A list for each query; null where a weight is no finite number. */
  readonly weights: readonly (readonly (number | null)[])[];
  /** 1 where the query may attend, else 0; missing where it may everywhere. */
  readonly mask?: readonly (readonly number[])[];
}

/** More cells than these make a file that few programs open. */
export const MOST_JSON_CELLS = 1_000_000;

export function mapJson(layer: ModelLayer, head: number, selection: Part, state: ElementState): MapJson {
  const { map, rowTokens, columnTokens } = layer;
  const part = <T>(all: ArrayLike<T>, [first, last]: Part["keys"]) => Array.from(all).slice(first, last + 1);
  const queries = part(rowTokens, selection.queries);
  const cells = queries.map((_, n) => map.row(head, selection.queries[0] + n));
  const mask = cells.map(({ kinds }) => part(kinds, selection.keys).map((kind) => Number(kind !== MASKED)));
  return {
    ...{ version: 1, state, selection },
    rowTokens: queries,
    columnTokens: part(columnTokens, selection.keys),
    weights: cells.map(({ values, kinds }) =>
      part(values, selection.keys).map((weight, n) =>
        // Nine digits are all that float32 holds.
        kinds[selection.keys[0] + n] === NOT_FINITE ? null : Number(weight.toPrecision(9)),
      ),
    ),
    ...(mask.flat().includes(0) && { mask }),
  };
}
