import { OptionError } from "../../core/errors.ts";
import type { Graph, Value } from "../format/graph.ts";
import { unsqueeze } from "../format/operations.ts";
import type { DataType } from "../format/protos.ts";

/** A value between the layers of a model. */
export interface Wire {
  readonly value: Value;
  /** null is a size that may differ from call to call. */
  readonly shape: readonly (number | null)[];
  readonly type: DataType;
  /** bool [B, N], true where there is something; undefined where all is there. */
  readonly mask?: Value | undefined;
}

/** One use of a layer in a model. */
export interface LayerUse {
  readonly graph: Graph;
  /** The name of the class, with which errors begin. */
  readonly op: string;
  /** The name of the layer in its model. */
  readonly name: string;
  readonly inputs: readonly Wire[];
  /** The fields of heed's layers; of others what they write into a saved model. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Of what heed's layers draw outside training. */
  readonly seed: number | undefined;
  has(weight: string): boolean;
  shapeOf(weight: string): readonly number[];
  values(weight: string): Float32Array;
  /** A weight, in another shape of as many numbers where one is given. */
  weight(name: string, shape?: readonly number[]): Value;
  /** The use of a layer that this one holds in a field. */
  within(field: string, inputs: readonly Wire[]): LayerUse;
}

/** What a layer gives: its outputs, of which the first has the mask of the first input unless another is given. */
export interface Made {
  readonly outputs: readonly Value[];
  /** null where there is none. */
  readonly mask?: Value | null;
}

/** How a layer is said in ONNX. */
export type LayerRule = (use: LayerUse) => Made | Value;

/** x·W + b, with the bias where there is one; W is a kernel of any shape as a matrix of this many columns. */
export function linear(use: LayerUse, name: string, x: Value, columns?: number): Value {
  const { graph } = use;
  const sizes = use.shapeOf(`${name}/kernel`);
  const size = sizes.reduce((all, n) => all * n, 1);
  const width = columns ?? sizes.at(-1)!;
  const y = graph.op("MatMul", [x, use.weight(`${name}/kernel`, [size / width, width])]);
  if (!use.has(`${name}/bias`)) return y;
  return graph.op("Add", [y, use.weight(`${name}/bias`, [width])]);
}

/** x·W + b, with the bias where there is one, of weights by their full names. */
export function affine(use: LayerUse, x: Value, kernel: string, bias: string): Value {
  const y = use.graph.op("MatMul", [x, use.weight(kernel)]);
  return use.has(bias) ? use.graph.op("Add", [y, use.weight(bias)]) : y;
}

/** x [B, N, …] with zeros where its mask [B, N] is false, whatever stands there. */
export function zeroHidden(graph: Graph, x: Value, mask: Value | undefined, axes = [2]): Value {
  return mask ? graph.op("Where", [unsqueeze(graph, mask, ...axes), x, graph.number(0)]) : x;
}

/** Both masks, where there are any. */
export function both(graph: Graph, masks: readonly (Value | undefined)[]): Value | undefined {
  const given = masks.filter((mask) => mask !== undefined);
  return given.length > 0 ? given.reduce((a, b) => graph.op("And", [a, b])) : undefined;
}

/** The error of a layer that is known, in a form that is not. */
export function unsayable(op: string, rule: string, got: unknown): OptionError<"UNSUPPORTED"> {
  return new OptionError("UNSUPPORTED", { op, rule, got, remedy: "export a model without it" });
}
