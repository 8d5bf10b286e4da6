import type { Activation } from "../models/transformer/config.ts";
import type { Graph, Value } from "./format/graph.ts";

/** Elementwise functions by the names that configurations have for them. */
export const ACTIVATIONS: Record<Activation, (graph: Graph, x: Value) => Value> = {
  relu: (graph, x) => graph.op("Relu", [x]),
  gelu: (graph, x) => graph.op("Gelu", [x]),
  geluTanh: (graph, x) => graph.op("Gelu", [x], { approximate: "tanh" }),
  silu: (graph, x) => graph.op("Mul", [x, graph.op("Sigmoid", [x])]),
};
