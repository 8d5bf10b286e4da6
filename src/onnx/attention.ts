import type { Graph, Value } from "./format/graph.ts";
import { NONE } from "./format/graph.ts";
import { cast, concat, reshape, transpose, unsqueeze } from "./format/operations.ts";

/** What is added to the score of a key that is not seen: finite, so that a row without any has weights too. */
export const HIDDEN = -1e30;
/** The version of the operators that brought `Attention`. */
const ATTENTION_SINCE = 23;

export interface Heads {
  /** [B, H, T, D] */
  readonly q: Value;
  /** [B, Hkv, S, D] */
  readonly k: Value;
  /** [B, Hkv, S, Dv] */
  readonly v: Value;
  readonly H: number;
  readonly Hkv: number;
  readonly Dv: number;
  /** Factor of the scores. */
  readonly scale: number;
  /** Added to the scores: [B, H, T, S], of which the first three may be 1. */
  readonly bias?: Value | undefined;
}

/** Attention of heads, one operator where the graph's version has it: [B, H, T, Dv]. */
export function attention(graph: Graph, heads: Heads): Value {
  const { q, k, v, scale, bias = NONE } = heads;
  if (graph.opset < ATTENTION_SINCE) return weightedSum(graph, softmax(graph, scores(graph, heads)), heads);
  return graph.op("Attention", [q, k, v, bias], { scale: { float: scale } });
}

/** q·k for each query and key, scaled and biased: [B, H, T, S]. */
export function scores(graph: Graph, { q, k, scale, bias, H, Hkv }: Heads): Value {
  const scaled = scale === 1 ? q : graph.op("Mul", [q, graph.number(scale)]);
  const products = graph.op("MatMul", [grouped(graph, scaled, H, Hkv), transpose(graph, k, [0, 1, 3, 2])]);
  const all = H === Hkv ? products : reshape(graph, products, [0, H, -1, 0]);
  return bias ? graph.op("Add", [all, bias]) : all;
}

export function softmax(graph: Graph, x: Value): Value {
  return graph.op("Softmax", [x], { axis: -1 });
}

/** Σ_s weights [B, H, T, S] · v: [B, H, T, Dv]. */
export function weightedSum(
  graph: Graph,
  weights: Value,
  { v, H, Hkv, Dv }: Pick<Heads, "v" | "H" | "Hkv" | "Dv">,
): Value {
  const sums = graph.op("MatMul", [grouped(graph, weights, H, Hkv), v]);
  return H === Hkv ? sums : reshape(graph, sums, [0, H, -1, Dv]);
}

/** Query heads that share keys one below the other: [B, H, T, N] → [B, Hkv, H/Hkv·T, N]. */
function grouped(graph: Graph, x: Value, H: number, Hkv: number): Value {
  return H === Hkv ? x : reshape(graph, x, [0, Hkv, -1, 0]);
}

/** A bias of the scores that leaves what is visible, bool, and hides the rest. */
export function biasOf(graph: Graph, visible: Value, added: Value = graph.number(0)): Value {
  return graph.op("Where", [visible, added, graph.number(HIDDEN)]);
}

/**
 * A bias of the scores of T queries, int64 [1], that hides padding, 0 in a mask int64 [B, S]: [B, 1, T or 1, S]. ONNX lets the
 * bias of `Attention` have one row for all queries; onnxruntime 1.30 does not.
 */
export function paddingBias(graph: Graph, mask: Value, T: Value): Value {
  const bias = biasOf(graph, unsqueeze(graph, cast(graph, mask, "bool"), 1, 2));
  if (graph.opset < ATTENTION_SINCE) return bias;
  return graph.op("Expand", [bias, concat(graph, [graph.ints([1, 1]), T, graph.ints([1])], 0)]);
}

/** Which keys each query sees: bool [B, 1, T, S], of positions int64 [1 or B, T] and [1 or B, S]. */
export function causalMask(
  graph: Graph,
  { queries, keys, window }: { queries: Value; keys: Value; window?: number | undefined },
): Value {
  const [query, key] = [unsqueeze(graph, queries, 1, 3), unsqueeze(graph, keys, 1, 2)];
  const before = graph.op("LessOrEqual", [key, query]);
  if (window === undefined) return before;
  const near = graph.op("Less", [graph.op("Sub", [query, key]), graph.ints([window], [])]);
  return graph.op("And", [before, near]);
}
