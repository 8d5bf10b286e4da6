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
export const KERAS_ACTIVATIONS: Readonly<Record<string, (graph: Graph, x: Value) => Value>> = {
  linear: (_, x) => x,
  relu: ACTIVATIONS.relu,
  sigmoid: (graph, x) => graph.op("Sigmoid", [x]),
  tanh: (graph, x) => graph.op("Tanh", [x]),
  softmax: (graph, x) => graph.op("Softmax", [x], { axis: -1 }),
  log_softmax: (graph, x) => graph.op("LogSoftmax", [x], { axis: -1 }),
  elu: (graph, x) => graph.op("Elu", [x]),
  softplus: (graph, x) => graph.op("Softplus", [x]),
  softsign: (graph, x) => graph.op("Softsign", [x]),
  gelu: ACTIVATIONS.gelu,
  gelu_new: ACTIVATIONS.geluTanh,
  swish: ACTIVATIONS.silu,
};
