/** Layers of TensorFlow.js that models of attention are built with. */
import { KERAS_ACTIVATIONS } from "../activations.ts";
import type { Graph, Value } from "../format/graph.ts";
import { cast, concat, reshape, transpose } from "../format/operations.ts";
import { both, type LayerRule, type LayerUse, unsayable } from "./call.ts";

function activate({ graph, op, config }: LayerUse, x: Value): Value {
  const name = String(config.activation ?? "linear");
  if (Object.hasOwn(KERAS_ACTIVATIONS, name)) return KERAS_ACTIVATIONS[name]!(graph, x);
  throw unsayable(
    op,
    `in ONNX its activation must be one of ${Object.keys(KERAS_ACTIVATIONS).join(", ")}`,
    name,
  );
}

const only = ({ inputs }: LayerUse): Value => inputs[0]!.value;

/** What does something in training alone. */
export const identityRule: LayerRule = only;

export const denseRule: LayerRule = (use) => {
  const product = use.graph.op("MatMul", [only(use), use.weight("kernel")]);
  return activate(use, use.has("bias") ? use.graph.op("Add", [product, use.weight("bias")]) : product);
};

export const activationRule: LayerRule = (use) => activate(use, only(use));

export const embeddingRule: LayerRule = (use) => {
  const { graph, config } = use;
  const ids = cast(graph, only(use), "int64");
  const outputs = [graph.op("Gather", [use.weight("embeddings"), ids])];
  if (!config.maskZero) return { outputs, mask: null };
  return { outputs, mask: cast(graph, ids, "bool") };
};

/** Elementwise sums, products and means of inputs of equal shapes. */
const merged =
  (merge: (graph: Graph, values: readonly Value[]) => Value): LayerRule =>
  ({ graph, inputs }) => ({
    outputs: [
      merge(
        graph,
        inputs.map(({ value }) => value),
      ),
    ],
    mask:
      both(
        graph,
        inputs.map(({ mask }) => mask),
      ) ?? null,
  });
const folded = (type: string) => merged((graph, values) => values.reduce((a, b) => graph.op(type, [a, b])));

export const addRule = folded("Add");
export const multiplyRule = folded("Mul");
export const averageRule = merged((graph, values) => graph.op("Mean", values));

export const concatenateRule: LayerRule = ({ graph, config, inputs, op }) => {
  const axis = (config.axis as number | undefined) ?? -1;
  const last = inputs[0]!.shape.length - 1;
  const isMasked = inputs.some(({ mask }) => mask);
  if (isMasked && axis !== -1 && axis !== last)
    throw unsayable(op, "in ONNX masked inputs must be joined along the last axis", axis);
  return {
    outputs: [
      concat(
        graph,
        inputs.map(({ value }) => value),
        axis,
      ),
    ],
    mask:
      both(
        graph,
        inputs.map(({ mask }) => mask),
      ) ?? null,
  };
};

export const flattenRule: LayerRule = (use) => reshape(use.graph, only(use), [0, -1]);

export const reshapeRule: LayerRule = (use) =>
  reshape(use.graph, only(use), [0, ...(use.config.targetShape as number[]).map((n) => n ?? -1)]);

export const permuteRule: LayerRule = (use) =>
  transpose(use.graph, only(use), [0, ...(use.config.dims as number[])]);

export const averagePoolingRule: LayerRule = ({ graph, inputs }) => ({
  outputs: [graph.op("ReduceMean", [inputs[0]!.value, graph.ints([1])], { keepdims: 0 })],
  mask: null,
});

export const maximumPoolingRule: LayerRule = ({ graph, inputs }) => ({
  outputs: [graph.op("ReduceMax", [inputs[0]!.value, graph.ints([1])], { keepdims: 0 })],
  mask: null,
});
