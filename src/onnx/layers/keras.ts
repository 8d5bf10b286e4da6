/** Layers of TensorFlow.js that models of attention are built with. */
import { activationOf } from "../activations.ts";
import type { Graph, Value } from "../format/graph.ts";
import { cast, concat, reshape, transpose } from "../format/operations.ts";
import { affine, both, type LayerRule, type LayerUse, unsayable } from "./call.ts";

const activate = ({ graph, op, config }: LayerUse, x: Value) => activationOf(op, config.activation)(graph, x);

const only = ({ inputs }: LayerUse): Value => inputs[0]!.value;

/** What does something in training alone. */
export const identityRule: LayerRule = only;

export const denseRule: LayerRule = (use) => activate(use, affine(use, only(use), "kernel", "bias"));

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

export const maximumRule = folded("Max");
export const minimumRule = folded("Min");

/** ReLU, below a largest value where there is one. */
export const reluRule: LayerRule = (use) => {
  const { graph, config } = use;
  const most = config.maxValue as number | null | undefined;
  if (most === null || most === undefined) return graph.op("Relu", [only(use)]);
  return graph.op("Clip", [only(use), graph.number(0), graph.number(most)]);
};

export const leakyReluRule: LayerRule = (use) =>
  use.graph.op("LeakyRelu", [only(use)], { alpha: { float: use.config.alpha as number } });

export const softmaxRule: LayerRule = (use) =>
  use.graph.op("Softmax", [only(use)], { axis: use.config.axis as number });

export const repeatVectorRule: LayerRule = ({ graph, config, inputs }) => {
  const rows = graph.op("Unsqueeze", [inputs[0]!.value, graph.ints([1])]);
  return { outputs: [graph.op("Tile", [rows, graph.ints([1, config.n as number, 1])])], mask: null };
};

export const maskingRule: LayerRule = (use) => {
  const { graph, config } = use;
  const same = graph.op("Equal", [only(use), graph.number(config.maskValue as number)]);
  const differs = cast(graph, graph.op("Not", [same]), "float");
  const any = cast(graph, graph.op("ReduceMax", [differs, graph.ints([-1])], { keepdims: 0 }), "bool");
  const shown = graph.op("Unsqueeze", [any, graph.ints([-1])]);
  return { outputs: [graph.op("Where", [shown, only(use), graph.number(0)])], mask: any };
};
