/** Attention programs on TensorFlow.js' heap: the passes of kernels/wasm/attention over tensors where they are. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { learnedTensors, type Modification, tensorZeros } from "../../core/expression/modification.ts";
import type { ArrayInfo, HostArray } from "../../core/notation.ts";
import type { AttentionProgram, HostProgram } from "../../core/program.ts";
import { threadedEngine } from "../../kernels/init.ts";
import { type CallLayout, callLayout, type Layout } from "../../kernels/layout.ts";
import { type BackwardArrays, backwardPass } from "../../kernels/wasm/attention/backward.ts";
import { bytesOfPass } from "../../kernels/wasm/attention/bytes.ts";
import { forwardPass } from "../../kernels/wasm/attention/forward.ts";
import type { PlacedHostArray } from "../../kernels/wasm/attention/heads.ts";
import { type OperandArrays, PlacedOperands } from "../../kernels/wasm/attention/operands.ts";
import type { Call, LogSumExp, Workspace } from "../../kernels/wasm/attention/pass.ts";
import { addUniformGradients, type EmptyRow, fillUniformRows } from "../../kernels/wasm/attention/uniform.ts";
import { fillUniformWeights, storeWeights, weightsPass } from "../../kernels/wasm/attention/weights.ts";
import type { Heap } from "../heap.ts";
import type { HeedKernel, KernelInputs } from "../register.ts";
import { scratchFor, workspaceOf } from "../workspace.ts";

const OP = "attention";

/** What the op hands over besides tensors. */
export interface AttentionAttributes {
  /** Compiled once, by the op. Its arrays are not read here: those among the inputs may outlive them. */
  readonly program: AttentionProgram<ArrayInfo>;
  readonly layout: Layout;
  /** The names of the inputs, which come as an array: q, k, v … and those of bias, allow and sink that are there. */
  readonly names: readonly string[];
  readonly shapes: {
    readonly output: number[];
    readonly lse: number[];
    readonly weights: number[];
  };
}

/** The inputs by name. */
export function namedInputs(inputs: KernelInputs, { names }: AttentionAttributes): KernelInputs {
  return Object.fromEntries(Object.values(inputs).map((tensor, n) => [names[n]!, tensor]));
}

/** The program with `array` of its arrays among the inputs. A sink that is none of them does not matter there. */
export function hostProgram(
  { program }: AttentionAttributes,
  { bias, allow, sink, ...rest }: KernelInputs,
  array: (tensor: TensorInfo) => HostArray,
): HostProgram {
  return {
    ...program,
    bias: program.bias && { ...program.bias, array: array(bias) },
    allow: program.allow && { ...program.allow, array: array(allow) },
    sink: typeof program.sink === "object" ? sink && array(sink) : program.sink,
    modification:
      program.modification && withTensors(program.modification, (name) => array(rest[CAPTURED + name]!)),
  };
}

/** A modification on other arrays of the same shapes. */
function withTensors<A extends ArrayInfo>(
  modification: Modification<ArrayInfo>,
  arrayOf: (name: string) => A,
): Modification<A> {
  const tensors = Object.keys(modification.tensors).map((name) => [name, arrayOf(name)] as const);
  return { ...modification, tensors: Object.fromEntries(tensors) };
}

/** Captured tensors among the inputs of a kernel have this before their names. */
export const CAPTURED = "tensors.";

/**
 * Copying q, k, v and out moves 16·D bytes a query and key, a head computes 4·S·D flops a query: below so many keys and
 * flops what threads save is less than what copying costs (8 heads of 64 × 64 × 64 took 0.40 ms with one and with two).
 */
const LEAST_FLOPS = 2 ** 25;
const LEAST_KEYS = 128;

function isWorthThreads({ shapes: { B, H, T, S }, left, right }: HostProgram, flopsPerPair: number): boolean {
  const keys = Math.min(S, left + right + 1);
  return keys >= LEAST_KEYS && B * H * T * keys * flopsPerPair >= LEAST_FLOPS;
}

function mapped<X>(tensors: KernelInputs, f: (tensor: TensorInfo) => X): Record<string, X> {
  const results: Record<string, X> = {};
  for (const name in tensors) results[name] = f(tensors[name]!);
  return results;
}

/** One run of a pass: what, on which tensors. */
class Run {
  readonly heap: Heap;
  readonly program: HostProgram;
  readonly layout: CallLayout;

  constructor(heap: Heap, attrs: AttentionAttributes, inputs: KernelInputs) {
    this.heap = heap;
    this.program = hostProgram(attrs, inputs, (tensor) => this.#array(tensor));
    const { shapes, queryLengths, keyLengths } = this.program;
    this.layout = callLayout(attrs.layout, shapes, queryLengths, keyLengths);
  }

  /** An array whose values are looked up at each reading: views do not survive an allocation. */
  #array(tensor: TensorInfo): PlacedHostArray {
    const { heap } = this;
    heap.address(tensor);
    return {
      shape: tensor.shape,
      dtype: tensor.dtype,
      get address() {
        return heap.address(tensor);
      },
      get values() {
        return heap.view(tensor);
      },
    };
  }

  /** Where the pass works, and the operands by name: where they are, or copied to the threads of `init`. */
  place(
    inputs: KernelInputs,
    results: KernelInputs,
    flopsPerPair: number,
  ): { workspace: Workspace; call: Call } {
    const { program, layout, heap } = this;
    const { shapes } = program;
    const engine = isWorthThreads(program, flopsPerPair) ? threadedEngine(heap.build) : undefined;
    if (engine) {
      const arrays = (tensors: KernelInputs): OperandArrays =>
        mapped(tensors, (tensor) => this.floats(tensor));
      const packed = 8 * (shapes.T + shapes.S) * (shapes.D + shapes.Dv);
      const call = engine.call(program, layout, arrays(inputs), arrays(results), packed);
      return { workspace: engine, call };
    }
    const addresses = mapped({ ...inputs, ...results }, (tensor) => heap.address(tensor));
    const io = new PlacedOperands(shapes, layout, addresses);
    return { workspace: workspaceOf(heap), call: { program, layout, io } };
  }

  floats(tensor: TensorInfo): Float32Array {
    return this.heap.view(tensor) as Float32Array;
  }

  /** For kernels that run in `workspace`. */
  lse(workspace: Workspace, high: TensorInfo, low: TensorInfo): LogSumExp {
    const { heap } = this;
    const isHere = workspace.space.memory === heap.memory;
    return {
      high: () => this.floats(high),
      low: () => this.floats(low),
      placed: isHere ? { high: heap.address(high), low: heap.address(low) } : undefined,
    };
  }

  /** The rows that see no key, where a tensor of flags like lse says which. */
  emptyRows(empty: TensorInfo | undefined): EmptyRow[] {
    const rows: EmptyRow[] = [];
    if (!empty) return rows;
    const flags = this.heap.view(empty);
    const { queryLengths, shapes } = this.program;
    const { B, H, T } = shapes;
    for (let b = 0; b < B; b++) {
      const valid = queryLengths?.[b] ?? T;
      for (let h = 0; h < H; h++) {
        for (let i = 0; i < valid; i++) if (flags[this.layout.queries.index(b, h, i)]) rows.push({ b, h, i });
      }
    }
    return rows;
  }
}

/** Output and lse in two parts; where rows without a key have weights, flags of those rows too. */
export const attention: HeedKernel = ({ inputs, attrs, heap }) => {
  const attributes = attrs as unknown as AttentionAttributes;
  const { shapes } = attributes;
  const { q, k, v, ...rest } = namedInputs(inputs, attributes);
  const run = new Run(heap, attributes, rest);
  const { program, layout } = run;
  const [out, lse, lseLow] = [shapes.output, shapes.lse, shapes.lse].map((shape) =>
    heap.output(OP, shape),
  ) as [TensorInfo, TensorInfo, TensorInfo];
  const { workspace, call } = run.place({ q, k, v }, { out }, 2 * (program.shapes.D + program.shapes.Dv));
  if (program.onEmptyRow !== "uniform") {
    forwardPass(workspace, call, run.lse(workspace, lse, lseLow));
    return [out, lse, lseLow];
  }
  const empty = heap.output(OP, shapes.lse, "bool");
  const rows = forwardPass(workspace, call, run.lse(workspace, lse, lseLow));
  const flags = heap.view(empty).fill(0);
  for (const { b, h, i } of rows) flags[layout.queries.index(b, h, i)] = 1;
  fillUniformRows(program, layout, run.floats(v), run.floats(out), rows);
  return [out, lse, lseLow, empty];
};

/** The gradients of q, k, v, and of bias and sink where they are tensors. */
export const attentionGrad: HeedKernel = ({ inputs, attrs, heap }) => {
  const op = `${OP} gradient`;
  const attributes = attrs as unknown as AttentionAttributes;
  const { q, k, v, bias, sink, output, lse, lseLow, empty, dout, dlse, ...rest } = namedInputs(
    inputs,
    attributes,
  );
  const run = new Run(heap, attributes, { bias, sink, ...rest });
  const { program, layout } = run;
  const [dq, dk, dv] = [q, k, v].map(({ shape }) => heap.output(op, shape)) as [
    TensorInfo,
    TensorInfo,
    TensorInfo,
  ];
  const dbias = bias && heap.output(op, bias.shape);
  if (dbias) heap.view(dbias).fill(0);
  const dsink = sink && heap.output(op, sink.shape);
  const dtensors = learnedTensors(program.modification).map((name) => ({
    name,
    tensor: heap.output(op, [...program.modification!.tensors[name]!.shape]),
  }));
  const { workspace, call } = run.place(
    { q, k, v, out: output, dout },
    { dq, dk, dv },
    6 * program.shapes.D + 4 * program.shapes.Dv,
  );
  const arrays: BackwardArrays = {
    lse: run.lse(workspace, lse, lseLow),
    dlse: () => run.floats(dlse),
    dbias: () => (dbias ? run.floats(dbias) : undefined),
    dsink: sink && new Float64Array(program.shapes.H),
    dtensors: program.modification && tensorZeros(program.modification),
  };
  backwardPass(workspace, call, arrays);
  const rows = run.emptyRows(empty);
  if (rows.length > 0) {
    const given = { output: run.floats(output), dout: run.floats(dout) };
    addUniformGradients(program, layout, given, rows, { dv: run.floats(dv), dsink: arrays.dsink });
  }
  if (dsink) run.floats(dsink).set(arrays.dsink!);
  for (const { name, tensor } of dtensors) run.floats(tensor).set(arrays.dtensors![name]!);
  const learned = dtensors.map(({ tensor }) => tensor);
  return [dq, dk, dv, ...(dbias ? [dbias] : []), ...(dsink ? [dsink] : []), ...learned];
};

/** The weights [B, H, T, S] again, from q, k and lse. */
export const attentionWeights: HeedKernel = ({ inputs, attrs, heap }) => {
  const op = `${OP} weights`;
  const attributes = attrs as unknown as AttentionAttributes;
  const { q, k, lse, lseLow, empty, ...rest } = namedInputs(inputs, attributes);
  const run = new Run(heap, attributes, rest);
  const { program } = run;
  const weights = heap.output(op, attributes.shapes.weights);
  const { workspace, call } = run.place({ q, k }, {}, 2 * program.shapes.D);
  if (program.queryLengths || program.keyLengths) heap.view(weights).fill(0);
  let all: Float32Array | undefined;
  weightsPass(workspace, call, run.lse(workspace, lse, lseLow), (stripe) => {
    // Nothing is allocated from the first visit on.
    all ??= run.floats(weights);
    storeWeights(program.shapes, stripe, all);
  });
  const rows = run.emptyRows(empty);
  if (rows.length > 0) fillUniformWeights(program, rows, run.floats(weights));
  return weights;
};

/** Bytes of scratch that the kernels take for a program, whose arrays need not be there. */
export function attentionScratch(
  heap: Heap,
  program: AttentionProgram<ArrayInfo>,
  order: Layout,
): Record<"forward" | "weights" | "backward", number> {
  const { shapes, queryLengths, keyLengths, bias, allow, sink, modification } = program;
  const { D, Dv, H } = shapes;
  const placed = ({ shape, dtype }: ArrayInfo): PlacedHostArray => {
    const values = { length: shape.reduce((product, n) => product * n, 1) };
    return { shape, dtype, values, address: 0 };
  };
  const host: HostProgram = {
    ...program,
    bias: bias && { ...bias, array: placed(bias.array) },
    allow: allow && { ...allow, array: placed(allow.array) },
    sink: typeof sink === "object" ? placed({ shape: [H], dtype: "float32" }) : sink,
    modification: modification && withTensors(modification, (name) => placed(modification.tensors[name]!)),
  };
  const layout = callLayout(order, shapes, queryLengths, keyLengths);
  const none = new Float32Array(0);
  const lse: LogSumExp = { high: () => none, low: () => none, placed: { high: 0, low: 0 } };
  const call: Call = { program: host, layout, io: new PlacedOperands(shapes, layout, {}) };
  const dbias = () => bias && none;
  const passes = {
    forward: [2 * (D + Dv), (to: Workspace) => forwardPass(to, call, lse)],
    weights: [2 * D, (to: Workspace) => weightsPass(to, call, lse, () => {})],
    backward: [
      6 * D + 4 * Dv,
      (to: Workspace) =>
        backwardPass(to, call, {
          lse,
          dlse: () => none,
          dbias,
          dsink: sink ? new Float64Array(H) : undefined,
          dtensors: host.modification && tensorZeros(host.modification),
        }),
    ],
  } as const;
  const bytesOf = (name: keyof typeof passes) => {
    const [flopsPerPair, run] = passes[name];
    const engine = isWorthThreads(host, flopsPerPair) ? threadedEngine(heap.build) : undefined;
    if (engine) return engine.bytes(host, order)[name];
    return scratchFor(bytesOfPass(workspaceOf(heap), run));
  };
  return { forward: bytesOf("forward"), weights: bytesOf("weights"), backward: bytesOf("backward") };
}
