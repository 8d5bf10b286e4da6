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
  const [[firstQuery, lastQuery], [firstKey, lastKey]] = [selection.queries, selection.keys];
  const queries = rowTokens.slice(firstQuery, lastQuery + 1);
  const rows = queries.map((_, n) => {
    const { values, kinds } = map.row(head, firstQuery + n);
    return { values: values.subarray(firstKey, lastKey + 1), kinds: kinds.subarray(firstKey, lastKey + 1) };
  });
  const mask = rows.map(({ kinds }) => Array.from(kinds, (kind) => Number(kind !== MASKED)));
  return {
    version: 1,
    state,
    selection,
    rowTokens: queries,
    columnTokens: columnTokens.slice(firstKey, lastKey + 1),
    weights: rows.map(({ values, kinds }) =>
      // Nine digits are all that float32 holds.
      Array.from(values, (weight, s) => (kinds[s] === NOT_FINITE ? null : Number(weight.toPrecision(9)))),
    ),
    ...(mask.some((row) => row.includes(0)) && { mask }),
  };
}
