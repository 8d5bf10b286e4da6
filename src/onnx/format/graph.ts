import type { LazyBytes } from "./message.ts";
import {
  type Attribute,
  DATA_TYPES,
  type DataType,
  type Dimension,
  type GraphProto,
  modelBytes,
  type NodeProto,
  type Port,
  type Tensor,
} from "./protos.ts";

/** A value of a graph, by its name in the file. */
export type Value = string & { readonly value: unique symbol };

/** An input that is left out. */
export const NONE = "" as Value;

/** A value whose shape is known, as far as it is: that of a state, or of one slice. */
export interface Sized {
  readonly value: Value;
  readonly shape: readonly Dimension[];
  /** @default "float" */
  readonly type?: DataType;
}

/** What a loop over slices goes over. */
export interface Scan {
  /** float values, as they are before the first step. */
  readonly states: readonly Sized[];
  /** Their shapes are those of one slice. */
  readonly over: readonly Sized[];
  /** The shape of what is kept of one step. */
  readonly kept: readonly Dimension[];
  readonly axis: number;
  /** Takes the last slice first; what is kept stands in the order of the steps. */
  readonly isBackward?: boolean;
}

/** What one file's graphs share. */
interface File {
  readonly opset: number;
  count: number;
  readonly constants: Map<string, Value>;
  readonly tensors: Tensor[];
}

/** The format's version in which each version of the operators came. */
const IR_VERSION: Readonly<Record<number, number>> = { 20: 9, 23: 11 };

/**
 * A graph of ONNX as it grows: inputs, operations on values, outputs. Weights and constants are the whole file's; a graph
 * of a branch sees the values of the graph around it.
 */
export class Graph {
  readonly #file: File;
  readonly #name: string;
  readonly #nodes: NodeProto[] = [];
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  /** Names of outputs, by the values that they are. */
  readonly #renamed = new Map<string, string>();

  constructor(name: string, opset: number, file?: File) {
    this.#name = name;
    this.#file = file ?? { opset, count: 0, constants: new Map(), tensors: [] };
  }

  get opset(): number {
    return this.#file.opset;
  }

  input(name: string, type: DataType, shape: readonly Dimension[]): Value {
    this.#inputs.push({ name, type, shape });
    return name as Value;
  }

  output(name: string, value: Value, type: DataType, shape: readonly Dimension[]): void {
    const isMade = this.#nodes.some(({ outputs }) => outputs.includes(value));
    const given = isMade && !this.#renamed.has(value) ? value : this.op("Identity", [value]);
    this.#renamed.set(given, name);
    this.#outputs.push({ name, type, shape });
  }

  /** Weights under their name, made when the file is written. */
  weight(name: string, shape: readonly number[], values: () => Float32Array): Value {
    const { tensors } = this.#file;
    if (tensors.some((tensor) => tensor.name === name)) return name as Value;
    const byteLength = 4 * shape.reduce((all, n) => all * n, 1);
    const fill = (target: Uint8Array) => {
      const { buffer, byteOffset } = values();
      target.set(new Uint8Array(buffer, byteOffset, byteLength));
    };
    tensors.push({ name, type: "float", shape, data: { byteLength, fill } });
    return name as Value;
  }

  /** Whole numbers that the graph knows, such as a shape. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#constant("int64", new BigInt64Array(values.map(BigInt)), shape);
  }

  floats(values: readonly number[] | Float32Array, shape: readonly number[] = [values.length]): Value {
    return this.#constant("float", Float32Array.from(values), shape);
  }

  /** One number, for all elements. */
  number(value: number): Value {
    return this.floats([value], []);
  }

  op(type: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.ops(type, inputs, 1, attributes)[0]!;
  }

  /** An operation of several outputs. */
  ops(
    type: string,
    inputs: readonly Value[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    const name = `${type}_${this.#file.count++}`;
    const outputs = Array.from({ length: count }, (_, n) => (n === 0 ? name : `${name}.${n}`));
    this.#nodes.push({ type, name, inputs, outputs, attributes });
    return outputs as Value[];
  }

  /** What one of two graphs gives, which see the values of this one: float values of these ranks. */
  choose(
    condition: Value,
    shapes: readonly (readonly Dimension[])[],
    [yes, no]: readonly [(graph: Graph) => Value[], (graph: Graph) => Value[]],
  ): Value[] {
    const branch = (name: string, make: (graph: Graph) => Value[]) => {
      const graph = new Graph(`${name}_${this.#file.count++}`, this.opset, this.#file);
      for (const [n, value] of make(graph).entries()) {
        graph.output(`${graph.#name}.${n}`, value, "float", shapes[n]!);
      }
      return graph.toProto(false);
    };
    const attributes = { then_branch: branch("then", yes), else_branch: branch("else", no) };
    return this.ops("If", [condition], shapes.length, attributes);
  }

  /**
   * A loop over the slices of `over` along their `axis`: `step` makes of the states and one slice of each the next states, and
   * what is kept, which then has the steps along the same axis.
   */
  scan(
    { states, over, kept, axis, isBackward = false }: Scan,
    step: (graph: Graph, states: Value[], slices: Value[]) => { states: Value[]; kept: Value },
  ): { states: Value[]; kept: Value } {
    const body = this.#body([...states, ...over], (graph, values) => {
      const made = step(graph, values.slice(0, states.length), values.slice(states.length));
      const after = states.map((state, n) => ({ ...state, value: made.states[n]! }));
      return [...after, { value: made.kept, shape: kept }];
    });
    // The steps first, which is the one form that every engine has.
    const others = (rank: number) => Array.from({ length: rank }, (_, n) => n).filter((n) => n !== axis);
    const slices = over.map(({ value, shape }) =>
      this.op("Transpose", [value], { perm: [axis, ...others(shape.length + 1)] }),
    );
    const outputs = this.ops("Scan", [...states.map(({ value }) => value), ...slices], states.length + 1, {
      body,
      num_scan_inputs: over.length,
      scan_input_directions: over.map(() => Number(isBackward)),
    });
    const places = kept.map((_, n) => n + 1);
    const perm = [...places.slice(0, axis), 0, ...places.slice(axis)];
    return { states: outputs.slice(0, -1), kept: this.op("Transpose", [outputs.at(-1)!], { perm }) };
  }

  /** A state after so many steps, a count int64 []. */
  repeat(count: Value, state: Sized, step: (graph: Graph, state: Value) => Value): Value {
    const scalar = (value: Value, type: DataType) => ({ value, type, shape: [] });
    const body = this.#body(
      [scalar(NONE, "int64"), scalar(NONE, "bool"), state],
      (graph, [, goesOn, before]) => [scalar(goesOn!, "bool"), { ...state, value: step(graph, before!) }],
    );
    const always = this.op("Cast", [this.ints([1], [])], { to: DATA_TYPES.bool });
    return this.op("Loop", [count, always, state.value], { body });
  }

  /** The graph of a step: it takes and gives values of these types and shapes. */
  #body(taken: readonly Sized[], make: (graph: Graph, values: Value[]) => readonly Sized[]): GraphProto {
    const graph = new Graph(`step_${this.#file.count++}`, this.opset, this.#file);
    const values = taken.map(({ type = "float", shape }, n) =>
      graph.input(`${graph.#name}.in${n}`, type, shape),
    );
    for (const [n, { value, type = "float", shape }] of make(graph, values).entries()) {
      graph.output(`${graph.#name}.out${n}`, value, type, shape);
    }
    return graph.toProto(false);
  }

  toProto(isWhole = true): GraphProto {
    const name = (value: string) => this.#renamed.get(value) ?? value;
    const within = (graph: GraphProto): GraphProto => ({ ...graph, nodes: graph.nodes.map(named) });
    const named = (node: NodeProto): NodeProto => ({
      ...node,
      inputs: node.inputs.map(name),
      outputs: node.outputs.map(name),
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([key, value]) => [key, isGraph(value) ? within(value) : value]),
      ),
    });
    return {
      name: this.#name,
      nodes: this.#nodes.map(named),
      tensors: isWhole ? this.#file.tensors : [],
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }

  /** @throws DataError LIMIT */
  toBytes(): Uint8Array {
    return modelBytes({ graph: this.toProto(), opset: this.opset, irVersion: IR_VERSION[this.opset]! });
  }

  #constant(type: DataType, values: BigInt64Array | Float32Array, shape: readonly number[]): Value {
    const { constants, tensors } = this.#file;
    const key = `${type} ${shape.join()} ${values.join()}`;
    const known = constants.get(key);
    if (known) return known;
    const name = `constant_${constants.size}` as Value;
    const data: LazyBytes = {
      byteLength: values.byteLength,
      fill: (target) => target.set(new Uint8Array(values.buffer)),
    };
    tensors.push({ name, type, shape, data });
    constants.set(key, name);
    return name;
  }
}

const isGraph = (value: Attribute): value is GraphProto =>
  typeof value === "object" && !Array.isArray(value) && "nodes" in value;
