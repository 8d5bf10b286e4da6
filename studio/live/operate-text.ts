import type { Intervention } from "../../src/intervene/intervention.ts";
import type { LayerFacts } from "./operate-protocol.ts";

const first = (given: unknown): number | undefined =>
  typeof given === "number" ? given : Array.isArray(given) ? (given[0] as number) : undefined;

/** An intervention as a reader says it. */
export function said(one: Intervention, layers: readonly LayerFacts[]): string {
  const layer = layers[first(one.layer) ?? 0];
  const head =
    "heads" in one && one.heads !== undefined ? `head ${first(one.heads)!} of ${layer?.name}` : layer?.name;
  const token = (tokens: readonly string[] | undefined, n: number | undefined) =>
    n === undefined ? "" : `“${(tokens?.[n] ?? String(n)).trim() || "space"}”`;
  if (one.do === "pin") return `row ${token(layer?.queries, first(one.queries))} of ${head} pinned`;
  if (one.do !== "knockOut") return `${one.do} of ${head}`;
  if (one.edges) {
    const [query, key] = one.edges[0]!;
    return `${token(layer?.queries, query)} → ${token(layer?.keys, key)} cut in ${head}`;
  }
  if (one.queries !== undefined)
    return `query ${token(layer?.queries, first(one.queries))} of ${head} knocked out`;
  if (one.keys !== undefined) return `key ${token(layer?.keys, first(one.keys))} hidden from ${head}`;
  return `${head} knocked out`;
}

/**
 * A row with one weight set and the others scaled so that all sum to 1; where all the others were 0, those that may be seen share
 * the rest alike.
 *
 * @param seen which keys may have weight
 * @example
 * renormalized([0.5, 0.25, 0.25], 0, 0.8); // [0.8, 0.1, 0.1]
 */
export function renormalized(
  row: readonly number[],
  at: number,
  weight: number,
  seen: readonly boolean[] = row.map(() => true),
): number[] {
  const others = row.reduce((sum, value, s) => (s === at || !seen[s] ? sum : sum + value), 0);
  const rest = 1 - weight;
  const count = seen.filter((one, s) => one && s !== at).length;
  // A single key has all the weight.
  if (count === 0) return row.map((_, s) => Number(s === at));
  return row.map((value, s) => {
    if (s === at) return weight;
    if (!seen[s]) return 0;
    return others > 0 ? (value * rest) / others : rest / count;
  });
}
