/**
 * A tiny writer of ONNX models: one graph, float32 and int32 tensors, nodes with number attributes, and float32 constants
 * of any size.
 * Protocol buffers by hand, for the few messages that a model needs (github.com/onnx/onnx, onnx/onnx.proto3).
 */

/** @typedef {{ op: string, domain?: string, inputs: string[], outputs: string[], attributes?: Record<string, number | number[]> }} Node */
/** @typedef {{ name: string, shape: (number | string)[], type?: "float32" | "int32" }} Value a size that has a name may be any */

const MICROSOFT = "com.microsoft";
const IR_VERSION = 10;
const TYPES = { float32: 1, int32: 6, int64: 7 };
const ATTRIBUTE = { float: 1, int: 2, ints: 7 };
const text = new TextEncoder();

/** A base-128 number. */
function varint(/** @type {number} */ value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

const int = (/** @type {number} */ field, /** @type {number} */ value) => [
  ...varint(field << 3),
  ...varint(value),
];
const bytes = (/** @type {number} */ field, /** @type {ArrayLike<number>} */ content) => [
  ...varint((field << 3) | 2),
  ...varint(content.length),
  ...Array.from(content),
];
const string = (/** @type {number} */ field, /** @type {string} */ value) => bytes(field, text.encode(value));
const float = (/** @type {number} */ field, /** @type {number} */ value) => [
  ...varint((field << 3) | 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

/** Whole numbers become INT, lists INTS, scale and epsilon FLOAT. */
function attribute(/** @type {string} */ name, /** @type {number | number[]} */ value) {
  const kind = Array.isArray(value) ? "ints" : name === "scale" || name === "epsilon" ? "float" : "int";
  const content = Array.isArray(value)
    ? value.flatMap((each) => int(8, each))
    : kind === "float"
      ? float(2, value)
      : int(3, value);
  return [...string(1, name), ...content, ...int(20, ATTRIBUTE[kind])];
}

function node(/** @type {Node} */ { op, domain = "", inputs, outputs, attributes = {} }) {
  return [
    ...inputs.flatMap((name) => string(1, name)),
    ...outputs.flatMap((name) => string(2, name)),
    ...string(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) => bytes(5, attribute(name, value))),
    ...string(7, domain),
  ];
}

function value(/** @type {Value} */ { name, shape, type = "float32" }) {
  const dimension = (/** @type {number | string} */ size) =>
    typeof size === "string" ? string(2, size) : int(1, size);
  const dimensions = shape.flatMap((size) => bytes(1, dimension(size)));
  const tensor = [...int(1, TYPES[type]), ...bytes(2, dimensions)];
  return [...string(1, name), ...bytes(2, bytes(1, tensor))];
}

/** An int64 vector, for the shapes that Reshape takes. */
function vector(/** @type {string} */ name, /** @type {number[]} */ values) {
  const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return [...int(1, values.length), ...int(2, TYPES.int64), ...string(8, name), ...bytes(9, raw)];
}

/** A float32 scalar. */
function scalar(/** @type {string} */ name, /** @type {number} */ number) {
  return [
    ...int(2, TYPES.float32),
    ...string(8, name),
    ...bytes(9, new Uint8Array(Float32Array.of(number).buffer)),
  ];
}

/** A field before its content. */
const head = (/** @type {number} */ field, /** @type {number} */ length) => [
  ...varint((field << 3) | 2),
  ...varint(length),
];

/** A graph that has one float32 constant: a message in two parts is read as one, so this goes behind the other. */
function constant(/** @type {string} */ name, /** @type {{ data: any, dims: number[] }} */ { data, dims }) {
  const start = [...dims.flatMap((n) => int(1, n)), ...int(2, TYPES.float32), ...string(8, name)];
  const before = [...start, ...head(9, data.byteLength)];
  const tensor = head(5, before.length + data.byteLength);
  const graph = head(7, tensor.length + before.length + data.byteLength);
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [Uint8Array.from([...graph, ...tensor, ...before]), raw];
}

/**
 * A model as bytes.
 *
 * @param {{ opset: number, nodes: Node[], inputs: Value[], outputs: Value[], vectors?: Record<string, number[]>, scalars?: Record<string, number>, tensors?: Record<string, { data: any, dims: number[] }> }} graph
 */
export function onnxModel({ opset, nodes, inputs, outputs, vectors = {}, scalars = {}, tensors = {} }) {
  const graph = [
    ...nodes.flatMap((each) => bytes(1, node(each))),
    ...string(2, "attention"),
    ...Object.entries(vectors).flatMap(([name, values]) => bytes(5, vector(name, values))),
    ...Object.entries(scalars).flatMap(([name, number]) => bytes(5, scalar(name, number))),
    ...inputs.flatMap((each) => bytes(11, value(each))),
    ...outputs.flatMap((each) => bytes(12, value(each))),
  ];
  const operators = (/** @type {string} */ domain, /** @type {number} */ version) =>
    bytes(8, [...string(1, domain), ...int(2, version)]);
  const model = Uint8Array.from([
    ...int(1, IR_VERSION),
    ...bytes(7, graph),
    ...operators("", opset),
    ...operators(MICROSOFT, 1),
  ]);
  return Buffer.concat([model, ...Object.entries(tensors).flatMap(([name, x]) => constant(name, x))]);
}
