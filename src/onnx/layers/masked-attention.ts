import { attention, biasOf, causalMask, type Heads, scores, softmax, weightedSum } from "../attention.ts";
import type { Graph, Value } from "../format/graph.ts";
import { range, sizeOf } from "../format/operations.ts";
import { both } from "./call.ts";

/** What the queries of a layer see. */
export interface Seen {
  /** bool, broadcastable to [B, H, T, S]. */
  readonly allow?: Value | undefined;
  /** Query t sees keys up to t. */
  readonly causal?: boolean;
  /** Keys at a distance below this are seen, on both sides. */
  readonly window?: number | undefined;
}

export interface Attended {
  readonly output: Value;
  readonly weights: Value;
}

/**
 * Attention of heads under masks: a query that sees nothing gives 0. It is the operator where no query can be such, and the
 * weights are not asked for.
 */
export function maskedAttention(
  graph: Graph,
  heads: Heads,
  seen: Seen,
  wantsWeights: boolean,
): Value | Attended {
  const ordered = orderMask(graph, heads, seen);
  // Behind the last key a window is empty.
  const mayBeEmpty = seen.allow !== undefined || seen.window !== undefined;
  if (!mayBeEmpty && !wantsWeights) {
    return attention(graph, ordered ? { ...heads, bias: biasOf(graph, ordered) } : heads);
  }
  const weights = weightsOf(graph, scores(graph, heads), both(graph, [seen.allow, ordered]));
  const output = weightedSum(graph, weights, heads);
  return wantsWeights ? { output, weights } : output;
}

/** The softmax of scores over the keys that are seen; 0 for the others, and for all in a row that sees none. */
export function weightsOf(graph: Graph, x: Value, visible: Value | undefined): Value {
  if (!visible) return softmax(graph, x);
  const weights = softmax(graph, graph.op("Add", [x, biasOf(graph, visible)]));
  return graph.op("Where", [visible, weights, graph.number(0)]);
}

/** What the order of positions hides: bool [1, 1, T, S]. */
export function orderMask(
  graph: Graph,
  { q, k }: Pick<Heads, "q" | "k">,
  { causal, window }: Seen,
): Value | undefined {
  if (!causal && window === undefined) return undefined;
  const zero = graph.ints([0]);
  const queries = range(graph, zero, sizeOf(graph, q, 2));
  const keys = range(graph, zero, sizeOf(graph, k, 2));
  if (causal) return causalMask(graph, { queries, keys, window });
  return nearMask(graph, queries, keys, window!);
}

/** |t − s| < window: bool [1, 1, T, S]. */
function nearMask(graph: Graph, queries: Value, keys: Value, window: number): Value {
  const [query, key] = [
    graph.op("Unsqueeze", [queries, graph.ints([1, 3])]),
    graph.op("Unsqueeze", [keys, graph.ints([1, 2])]),
  ];
  const apart = graph.op("Abs", [graph.op("Sub", [query, key])]);
  return graph.op("Less", [apart, graph.ints([window], [])]);
}
