import { ACTIVATIONS } from "../activations.ts";
import type { Value } from "../format/graph.ts";
import { firstRow } from "../format/operations.ts";
import type { Scope } from "./scope.ts";

/** Scores of tokens: states [B, T, C] → [B, T, V]. */
export function tokenLogits(scope: Scope, states: Value): Value {
  const { graph, config } = scope;
  const head = config.head!;
  let x = states;
  if (head.transform) {
    const mapped = ACTIVATIONS[config.activation](graph, scope.map("head/transform", x));
    x = scope.norm("head/norm", mapped);
  }
  if (head.scale !== undefined) x = graph.op("Mul", [x, graph.number(head.scale)]);
  return scope.tied(head.tied ? "embedding/token" : "head/weight", "head/bias", x);
}

/** The first state, through the pooler where there is one: [B, T, C] → [B, C]. */
export function pooled(scope: Scope, states: Value): Value {
  const { graph, config } = scope;
  const first = firstRow(graph, states);
  if (!config.pooler) return first;
  return graph.op(config.poolerActivation === "relu" ? "Relu" : "Tanh", [scope.map("pooler", first)]);
}

/** Scores of classes: [B, T, C] → [B, classes]. */
export function classLogits(scope: Scope, states: Value): Value {
  return scope.map("classifier", pooled(scope, states));
}
