import type { Intervention } from "../../src/intervene/intervention.ts";
import type { LayerFacts, OperateOutput } from "./operate-protocol.ts";

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

/** What moved less stayed as it was. */
export const LEAST_CHANGE = 0.0005;

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/**
 * What a change did, in a sentence or three: what the model writes now, the answer whose probability moved most, and how many
 * heads look elsewhere.
 */
export function consequence({
  written,
  answers,
  changes,
}: Pick<OperateOutput, "written" | "answers" | "changes">): string {
  const writes =
    written.after === written.before
      ? `It still writes “${written.after}”.`
      : `It now writes “${written.after}” instead of “${written.before}”.`;
  const moved = (one: OperateOutput["answers"][number]) => Math.abs(one.after - one.before);
  const [most] = [...answers].sort((a, b) => moved(b) - moved(a));
  const answer =
    most && moved(most) >= LEAST_CHANGE
      ? ` “${most.token.trim() || "space"}” changed most: from ${percent(most.before)} to ${percent(most.after)}.`
      : " No answer became more or less likely.";
  const heads = changes.filter(({ change }) => change >= LEAST_CHANGE).length;
  const look = heads === 0 ? "No head looks" : heads === 1 ? "One head looks" : `${heads} heads look`;
  return `${writes}${answer} ${look} elsewhere.`;
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
