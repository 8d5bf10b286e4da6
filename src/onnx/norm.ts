import type { Graph, Value } from "./format/graph.ts";

/** The version of the operators that brought `RMSNormalization`. */
const RMS_SINCE = 23;

export interface NormWeights {
  readonly gamma: Value;
  /** The shift of a layer norm. */
  readonly beta?: Value;
}

/** γ ⊙ (x − mean) / √(variance + ε) + β over the last axis. */
export function layerNorm(graph: Graph, x: Value, { gamma, beta }: NormWeights, epsilon: number): Value {
  const inputs = beta === undefined ? [x, gamma] : [x, gamma, beta];
  return graph.op("LayerNormalization", inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** γ ⊙ x / √(mean of x² + ε) over the last axis. */
export function rmsNorm(graph: Graph, x: Value, gamma: Value, epsilon: number): Value {
  if (graph.opset >= RMS_SINCE) {
    return graph.op("RMSNormalization", [x, gamma], { axis: -1, epsilon: { float: epsilon } });
  }
  const mean = graph.op("ReduceMean", [graph.op("Mul", [x, x]), graph.ints([-1])]);
  const root = graph.op("Sqrt", [graph.op("Add", [mean, graph.number(epsilon)])]);
  return graph.op("Mul", [graph.op("Div", [x, root]), gamma]);
}
