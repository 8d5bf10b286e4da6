/** heed's layers that weigh each number of their input by a gate. */
import type { Value } from "../format/graph.ts";
import { unsqueeze } from "../format/operations.ts";
import { affine, type LayerRule, type LayerUse, linear, type Made } from "./call.ts";

/** x times its gate, and the gate where it is wanted. */
function gatedBy({ graph, config, inputs }: LayerUse, logits: Value): Made {
  const gate = graph.op("Sigmoid", [logits]);
  const output = graph.op("Mul", [inputs[0]!.value, gate]);
  return { outputs: config.returnAttention ? [output, gate] : [output] };
}

export const projectedGateRule: LayerRule = (use) =>
  gatedBy(use, affine(use, use.inputs[0]!.value, "kernel", "bias"));

export const learnableGateRule: LayerRule = (use) => gatedBy(use, use.weight("gate"));

export const contextualGateRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const [x, context] = inputs;
  const seen = affine(use, context!.value, "context/kernel", "bias");
  // One context for all positions of an example.
  const between = Array.from({ length: x!.shape.length - context!.shape.length }, (_, n) => n + 1);
  const spread = between.length > 0 ? unsqueeze(graph, seen, ...between) : seen;
  return gatedBy(
    use,
    use.has("features/kernel") ? graph.op("Add", [linear(use, "features", x!.value), spread]) : spread,
  );
};

export const elementMlpGateRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const [M] = use.shapeOf("hidden/kernel") as [number];
  const products = graph.op("Mul", [unsqueeze(graph, inputs[0]!.value, -1), use.weight("hidden/kernel")]);
  const hidden = graph.op("Tanh", [graph.op("Add", [products, use.weight("hidden/bias")])]);
  const sums = graph.op("MatMul", [hidden, use.weight("gate/kernel", [M, 1])]);
  const logits = graph.op("Add", [sums, use.weight("gate/bias")]);
  return gatedBy(use, graph.op("Squeeze", [logits, graph.ints([-1])]));
};

export const sentinelGateRule: LayerRule = (use) => {
  const { graph } = use;
  const [x, state, memory] = use.inputs.map(({ value }) => value) as [Value, Value, Value];
  const logits = graph.op("Add", [linear(use, "input", x), linear(use, "state", state)]);
  return graph.op("Mul", [graph.op("Sigmoid", [logits]), graph.op("Tanh", [memory])]);
};
