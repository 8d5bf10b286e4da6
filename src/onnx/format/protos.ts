/** The messages of an ONNX file, with the numbers that onnx.proto gives their fields (github.com/onnx/onnx). */
import { type LazyBytes, Message } from "./message.ts";

/** Element types of tensors, by their numbers in TensorProto.DataType. */
export const DATA_TYPES = { float: 1, int32: 6, int64: 7, bool: 9 } as const;
export type DataType = keyof typeof DATA_TYPES;

/** A size, or the name of one that may differ from call to call. */
export type Dimension = number | string;

/** A value that goes into a graph or comes out of it. */
export interface Port {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly Dimension[];
}

export interface Tensor {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly data: LazyBytes;
}

export type Attribute = number | string | readonly number[] | { readonly float: number } | GraphProto;

export interface NodeProto {
  readonly type: string;
  readonly name: string;
  /** "" where an input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly tensors: readonly Tensor[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export interface ModelProto {
  readonly graph: GraphProto;
  /** The version of the operators. */
  readonly opset: number;
  /** The version of the file format that belongs to it. */
  readonly irVersion: number;
}

const ATTRIBUTE = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;

function attributeOf(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  const typed = (type: keyof typeof ATTRIBUTE) => message.int(20, ATTRIBUTE[type]);
  if (typeof value === "number") return typed("int").int(3, value);
  if (typeof value === "string") return typed("string").text(4, value);
  if ("float" in value) return typed("float").float(2, value.float);
  if ("nodes" in value) return typed("graph").message(6, graphOf(value));
  for (const number of value) message.int(8, number);
  return typed("ints");
}

function nodeOf({ type, name, inputs, outputs, attributes }: NodeProto): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, name).text(4, type);
  for (const [key, value] of Object.entries(attributes)) message.message(5, attributeOf(key, value));
  return message;
}

function tensorOf({ name, type, shape, data }: Tensor): Message {
  const message = new Message();
  for (const n of shape) message.int(1, n);
  return message.int(2, DATA_TYPES[type]).text(8, name).bytes(9, data);
}

function portOf({ name, type, shape }: Port): Message {
  const dimensions = new Message();
  for (const n of shape) {
    dimensions.message(1, typeof n === "number" ? new Message().int(1, n) : new Message().text(2, n));
  }
  const tensor = new Message().int(1, DATA_TYPES[type]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

function graphOf({ name, nodes, tensors, inputs, outputs }: GraphProto): Message {
  const message = new Message();
  for (const node of nodes) message.message(1, nodeOf(node));
  message.text(2, name);
  for (const tensor of tensors) message.message(5, tensorOf(tensor));
  for (const port of inputs) message.message(11, portOf(port));
  for (const port of outputs) message.message(12, portOf(port));
  return message;
}

/** The bytes of a model. @throws DataError LIMIT */
export function modelBytes({ graph, opset, irVersion }: ModelProto): Uint8Array {
  const operators = new Message().text(1, "").int(2, opset);
  return new Message()
    .int(1, irVersion)
    .text(2, "heed")
    .message(7, graphOf(graph))
    .message(8, operators)
    .toBytes();
}
