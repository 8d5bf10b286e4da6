/** Compositions of operators that several parts of a graph need. */
import type { Graph, Value } from "./graph.ts";
import { DATA_TYPES, type DataType } from "./protos.ts";

/** The last index of a slice that goes to the end. */
const END = Number.MAX_SAFE_INTEGER;

/** One size of a value, int64 [1]. */
export function sizeOf(graph: Graph, x: Value, axis: number): Value {
  return graph.op("Shape", [x], { start: axis, end: axis + 1 });
}

export function reshape(graph: Graph, x: Value, shape: readonly number[]): Value {
  return graph.op("Reshape", [x, graph.ints(shape)]);
}

export function transpose(graph: Graph, x: Value, perm: readonly number[]): Value {
  return graph.op("Transpose", [x], { perm });
}

export function unsqueeze(graph: Graph, x: Value, ...axes: number[]): Value {
  return graph.op("Unsqueeze", [x, graph.ints(axes)]);
}

/** x in another type; as bool it is true where x is not 0. */
export function cast(graph: Graph, x: Value, type: DataType): Value {
  return graph.op("Cast", [x], { to: DATA_TYPES[type] });
}

export function concat(graph: Graph, values: readonly Value[], axis: number): Value {
  return graph.op("Concat", values, { axis });
}

/** x from `start`, an int64 [1], to its end along an axis. */
export function sliceFrom(graph: Graph, x: Value, start: Value, axis: number): Value {
  return graph.op("Slice", [x, start, graph.ints([END]), graph.ints([axis])]);
}

/** begin, begin + 1, … before end, which are int64 [1]: int64 [1, N]. */
export function range(graph: Graph, begin: Value, end: Value): Value {
  const scalar = (x: Value) => graph.op("Squeeze", [x, graph.ints([0])]);
  const all = graph.op("Range", [scalar(begin), scalar(end), graph.ints([1], [])]);
  return unsqueeze(graph, all, 0);
}

/** x [B, N, H·D] in heads: [B, H, N, D]. */
export function splitHeads(graph: Graph, x: Value, H: number, D: number): Value {
  return transpose(graph, reshape(graph, x, [0, 0, H, D]), [0, 2, 1, 3]);
}

/** [B, H, N, D] side by side: [B, N, H·D]. */
export function joinHeads(graph: Graph, x: Value, H: number, D: number): Value {
  return reshape(graph, transpose(graph, x, [0, 2, 1, 3]), [0, 0, H * D]);
}

/** One row of the second axis: [B, N, C] → [B, C]. */
export function firstRow(graph: Graph, x: Value): Value {
  return graph.op("Gather", [x, graph.ints([0], [])], { axis: 1 });
}
