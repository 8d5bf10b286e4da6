/** heed's layers of one head whose keys lie near a place, or beside a sentinel. */
import { biasOf } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { cast, range, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { additiveScores } from "./attentions.ts";
import { both, type LayerRule, type LayerUse, linear, zeroHidden } from "./call.ts";
import { weightsOf } from "./masked-attention.ts";

/** Scores [B, T, S] of queries and keys by hidden units: wᵀ tanh(q + k). */
function hiddenScores(use: LayerUse, q: Value, k: Value, w: string): Value {
  const { graph } = use;
  const [A] = use.shapeOf(w) as [number];
  const all = additiveScores(use, unsqueeze(graph, q, 1), unsqueeze(graph, k, 1), use.weight(w, [A, 1]));
  return graph.op("Squeeze", [all, graph.ints([1])]);
}

/** The scores of Luong's three kinds: [B, T, S]. */
function luongScores(use: LayerUse, q: Value, k: Value): Value {
  const { graph, config, inputs } = use;
  const across = (x: Value) => transpose(graph, x, [0, 2, 1]);
  if (config.score === "dot") return graph.op("MatMul", [q, across(k)]);
  if (config.score === "general") return graph.op("MatMul", [linear(use, "score", q), across(k)]);
  const Cq = inputs[0]!.shape[2]!;
  const [rows] = use.shapeOf("score/kernel") as [number];
  const part = (from: number, to: number) =>
    graph.op("Slice", [use.weight("score/kernel"), graph.ints([from]), graph.ints([to]), graph.ints([0])]);
  const hidden = [graph.op("MatMul", [q, part(0, Cq)]), graph.op("MatMul", [k, part(Cq, rows)])] as const;
  return hiddenScores(use, ...hidden, "score/scale");
}

export const luongLocalRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const op = (type: string, ...given: Value[]) => graph.op(type, given);
  const [query, values, keys = values] = inputs;
  const { value: v, mask } = values!;
  const q = zeroHidden(graph, query!.value, query!.mask);
  const [shown, k] = [v, keys!.value].map((x) => zeroHidden(graph, x, mask)) as [Value, Value];
  const radius = config.radius as number;
  const place = (x: Value) => range(graph, graph.ints([0]), sizeOf(graph, x, 1));
  const key = unsqueeze(graph, cast(graph, place(v), "float"), 1);
  let position = unsqueeze(graph, cast(graph, place(q), "float"), 2);
  const isPredicted = config.alignment === "predictive";
  if (isPredicted) {
    const hidden = op("Tanh", linear(use, "position", q));
    const [A] = use.shapeOf("position/scale") as [number];
    const share = op("Sigmoid", op("MatMul", hidden, use.weight("position/scale", [A, 1])));
    position = op("Mul", share, lengthOf(use, v, mask));
  }
  const away = op("Sub", key, position);
  const inside = op("LessOrEqual", op("Abs", away), graph.number(radius));
  const seen = both(graph, [mask && unsqueeze(graph, mask, 1), inside]);
  const gauss = op("Mul", op("Mul", away, away), graph.number(-2 / radius ** 2));
  const products = luongScores(use, q, k);
  const isBias = isPredicted && config.renormalize;
  const scored = isBias ? op("Add", products, gauss) : products;
  let weights = weightsOf(graph, scored, seen);
  if (isPredicted && !isBias) weights = op("Mul", weights, op("Exp", gauss));
  return zeroHidden(graph, op("MatMul", weights, shown), query!.mask);
};

/** Where the keys of each example end, float [B, 1, 1] or [1]: what lies before and is hidden has a place. */
function lengthOf({ graph }: LayerUse, v: Value, mask: Value | undefined): Value {
  const S = sizeOf(graph, v, 1);
  if (!mask) return cast(graph, S, "float");
  const numbers = range(graph, graph.ints([1]), graph.op("Add", [S, graph.ints([1])]));
  const places = graph.op("Mul", [cast(graph, mask, "int64"), numbers]);
  const last = graph.op("ReduceMax", [places, graph.ints([1])]);
  return cast(graph, unsqueeze(graph, last, 2), "float");
}

export const visualSentinelRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const [state, features, sentinel] = inputs;
  const present = state!.mask;
  const visible = features!.mask;
  const h = linear(use, "state", zeroHidden(graph, state!.value, present));
  const v = zeroHidden(graph, features!.value, visible);
  const s = zeroHidden(graph, sentinel!.value, present);
  const seen = visible && unsqueeze(graph, visible, 1);
  const scores = hiddenScores(use, h, linear(use, "features", v), "scale");
  const context = graph.op("MatMul", [weightsOf(graph, scores, seen), v]);
  // Of a query that sees no feature the sum is so small that β is 1.
  const shown = seen ? graph.op("Add", [scores, biasOf(graph, seen)]) : scores;
  const total = graph.op("ReduceLogSumExp", [shown, graph.ints([2])]);
  const [A] = use.shapeOf("scale") as [number];
  const hidden = graph.op("Tanh", [graph.op("Add", [h, linear(use, "sentinel", s)])]);
  const own = graph.op("MatMul", [hidden, use.weight("scale", [A, 1])]);
  const beta = graph.op("Sigmoid", [graph.op("Sub", [own, total])]);
  const rest = graph.op("Sub", [graph.number(1), beta]);
  const mixed = graph.op("Add", [graph.op("Mul", [beta, s]), graph.op("Mul", [rest, context])]);
  const outputs = [mixed, ...(config.returnBeta ? [beta] : [])];
  return { outputs: outputs.map((x) => zeroHidden(graph, x, present)) };
};
