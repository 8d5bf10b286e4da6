import { OptionError } from "../core/errors.ts";
import type { Activation } from "../models/transformer/config.ts";
import type { Graph, Value } from "./format/graph.ts";

/** Activations by the names that the configurations of Transformers have for them. */
export const ACTIVATIONS: Record<Activation, (graph: Graph, x: Value) => Value> = {
  relu: (graph, x) => graph.op("Relu", [x]),
  gelu: (graph, x) => graph.op("Gelu", [x]),
  geluTanh: (graph, x) => graph.op("Gelu", [x], { approximate: "tanh" }),
  silu: (graph, x) => graph.op("Mul", [x, graph.op("Sigmoid", [x])]),
};

/** Activations by TensorFlow.js' names. */
const KERAS_ACTIVATIONS: Readonly<Record<string, (graph: Graph, x: Value) => Value>> = {
  linear: (_, x) => x,
  relu: ACTIVATIONS.relu,
  sigmoid: (graph, x) => graph.op("Sigmoid", [x]),
  tanh: (graph, x) => graph.op("Tanh", [x]),
  softmax: (graph, x) => graph.op("Softmax", [x], { axis: -1 }),
  logSoftmax: (graph, x) => graph.op("LogSoftmax", [x], { axis: -1 }),
  elu: (graph, x) => graph.op("Elu", [x]),
  softplus: (graph, x) => graph.op("Softplus", [x]),
  softsign: (graph, x) => graph.op("Softsign", [x]),
  hardSigmoid: (graph, x) => graph.op("HardSigmoid", [x], { alpha: { float: 0.2 }, beta: { float: 0.5 } }),
  relu6: (graph, x) => graph.op("Clip", [x, graph.number(0), graph.number(6)]),
  selu: (graph, x) => graph.op("Selu", [x]),
  mish: (graph, x) => graph.op("Mish", [x]),
  gelu: ACTIVATIONS.gelu,
  gelu_new: ACTIVATIONS.geluTanh,
  swish: ACTIVATIONS.silu,
};

/** An activation of TensorFlow.js; none is "linear". */
export function activationOf(op: string, name: unknown = "linear"): (graph: Graph, x: Value) => Value {
  const known = String(name ?? "linear");
  if (Object.hasOwn(KERAS_ACTIVATIONS, known)) return KERAS_ACTIVATIONS[known]!;
  throw new OptionError("UNSUPPORTED", {
    op,
    rule: `in ONNX its activation must be one of ${Object.keys(KERAS_ACTIVATIONS).join(", ")}`,
    got: known,
    remedy: "export a model without it",
  });
}
