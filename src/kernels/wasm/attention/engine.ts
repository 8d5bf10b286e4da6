/**
 * Attention programs on the WebAssembly kernels for arrays in ordinary memory, on a memory of our own. Groups of
 * heads are copied in, a chunk at a time, and results are copied out; `bias` and `allow` come in stripes of rows, so
 * nothing here grows with T · S.
 */

import { tensorZeros } from "../../../core/expression/modification.ts";
import type { HalfType } from "../../../core/half.ts";
import { size } from "../../../core/notation.ts";
import type { HostProgram } from "../../../core/program.ts";
import { type CallLayout, callLayout, type Layout } from "../../layout.ts";
import { Arena } from "../arena.ts";
import type { KernelBuild } from "../load.ts";
import { type KernelSpace, SerialSpace } from "../space.ts";
import { backwardPass, keyParts } from "./backward.ts";
import { bytesOfPass } from "./bytes.ts";
import { forwardPass } from "./forward.ts";
import { expandInto, floatsOf } from "./halves.ts";
import { CopiedOperands, type InputArray, type OperandArrays } from "./operands.ts";
import type { Call, LogSumExp, Workspace } from "./pass.ts";
import { type ProbeArrays, type ProbePlan, probePass } from "./probe.ts";
import { addUniformGradients, addUniformStatistics, type EmptyRow, fillUniformRows } from "./uniform.ts";
import { fillUniformWeights, storeWeights, type WeightStripe, weightsPass } from "./weights.ts";

export interface FloatInputs {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/** Inputs of which some have 16 bits a number. */
export interface HalfInputs {
  readonly q: InputArray;
  readonly k: InputArray;
  readonly v: InputArray;
  /** What those hold. */
  readonly half: HalfType;
}

type Scored = Omit<FloatInputs, "v"> | Omit<HalfInputs, "v">;

export interface ForwardResult {
  readonly output: Float32Array;
  readonly lse: Float32Array;
  /** What rounding took from lse: their sum is the log-sum-exp to 48 bits. */
  readonly lseLow: Float32Array;
  /** The rows that see no key; only where the program gives them weights. */
  readonly emptyRows: readonly EmptyRow[];
}

export interface FloatGradients {
  dq: Float32Array;
  dk: Float32Array;
  dv: Float32Array;
  dbias: Float32Array | undefined;
  dsink: Float32Array | undefined;
  /** Of captured tensors, by name. */
  dtensors?: Record<string, Float32Array>;
}

/** What one thread holds at a time, so that small heads share a copy and large ones do not fill the memory. */
const SERIAL_CHUNK_BYTES = 2 ** 20;
/** What many threads hold: enough heads to keep them all at work. */
const SHARED_CHUNK_BYTES = 192 * 2 ** 20;

/** Stands for arrays that are not looked at. */
const NONE = new Float32Array(0);

function inTwo({ lse, lseLow }: Pick<ForwardResult, "lse" | "lseLow">): LogSumExp {
  return { high: () => lse, low: () => lseLow };
}

function roundedAll(sums: Readonly<Record<string, Float64Array>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, Float32Array.from(sum)]));
}

export class AttentionEngine implements Workspace {
  readonly space: KernelSpace;
  readonly #arena: Arena;

  /** On a space of its own for one thread, or on a given one, whose memory is free from `start` on. */
  constructor(space: KernelSpace | KernelBuild, start = 0) {
    this.space = typeof space === "string" ? SerialSpace.create(space) : space;
    this.#arena = new Arena(this.space.memory, start);
  }

  get memory(): WebAssembly.Memory {
    return this.space.memory;
  }

  /** Bytes of that memory that the last pass took. */
  get lastBytes(): number {
    return this.#arena.bytes;
  }

  readonly lay = <T>(op: string, take: (arena: Arena) => T): T => {
    this.#arena.reset();
    const taken = take(this.#arena);
    this.#arena.reserve(op);
    return taken;
  };

  /** A call on arrays in ordinary memory. `packed` is about how many bytes a group needs besides them. */
  call(
    program: HostProgram,
    layout: CallLayout,
    inputs: OperandArrays<InputArray>,
    results: OperandArrays,
    packed: number,
    half?: HalfType,
  ): Call {
    const budget = this.space.threads > 1 ? SHARED_CHUNK_BYTES : SERIAL_CHUNK_BYTES;
    const copied = { shapes: program.shapes, layout, inputs, results };
    const expand = half && expandInto(this.space, half);
    const io = new CopiedOperands(copied, this.#arena, { budget, packed, expand });
    return { program, layout, io };
  }

  /**
   * The output and log-sum-exp of a program.
   *
   * @throws OptionError EMPTY_ROW · MemoryError MEMORY · WorkerError WORKER
   */
  forward(program: HostProgram, inputs: FloatInputs | HalfInputs, layout: Layout = "bhtd"): ForwardResult {
    const { v } = inputs;
    const half = "half" in inputs ? inputs.half : undefined;
    const { B, Dv } = program.shapes;
    const rows = callLayout(layout, program.shapes, program.queryLengths, program.keyLengths);
    const output = new Float32Array(rows.queries.rows(B) * Dv);
    const [lse, lseLow] = [rows, rows].map(() => new Float32Array(rows.queries.rows(B))) as [
      Float32Array,
      Float32Array,
    ];
    const call = this.#forwardCall(program, rows, inputs, output);
    const emptyRows = forwardPass(this, call, inTwo({ lse, lseLow }));
    if (emptyRows.length > 0) fillUniformRows(program, rows, floatsOf(v, half), output, emptyRows);
    return { output, lse, lseLow, emptyRows };
  }

  #forwardCall(
    program: HostProgram,
    rows: CallLayout,
    inputs: FloatInputs | HalfInputs,
    out: Float32Array,
  ): Call {
    const { q, k, v } = inputs;
    const half = "half" in inputs ? inputs.half : undefined;
    const { T, S, D, Dv } = program.shapes;
    return this.call(program, rows, { q, k, v }, { out }, 4 * (T + S * (D + Dv)), half);
  }

  /** Bytes of the kernels' memory that `forward`, `weights` and `backward` take. */
  bytes(program: HostProgram, layout: Layout): Record<"forward" | "weights" | "backward", number> {
    const rows = callLayout(layout, program.shapes, program.queryLengths, program.keyLengths);
    const lse = inTwo({ lse: NONE, lseLow: NONE });
    const inputs = { q: NONE, k: NONE, v: NONE };
    const forward = this.#forwardCall(program, rows, inputs, NONE);
    const weights = this.#weightsCall(program, inputs, layout);
    const backward = this.#backwardCall(program, rows, { ...inputs, out: NONE, dout: NONE }, inputs);
    const dbias = () => program.bias && NONE;
    return {
      forward: bytesOfPass(this, (workspace) => forwardPass(workspace, forward, lse)),
      weights: bytesOfPass(this, (workspace) => weightsPass(workspace, weights, lse, () => {})),
      backward: bytesOfPass(this, (workspace) =>
        backwardPass(workspace, backward, {
          ...{ lse, dlse: () => undefined, dbias, dsink: undefined },
          dtensors: program.modification && tensorZeros(program.modification),
        }),
      ),
    };
  }

  /** Shows the weights, before dropout and without the sink's share, to `visit`, a stripe of queries at a time. */
  eachWeights(
    program: HostProgram,
    inputs: Scored,
    lse: Pick<ForwardResult, "lse" | "lseLow">,
    visit: (stripe: WeightStripe) => void,
    layout: Layout = "bhtd",
  ): void {
    weightsPass(this, this.#weightsCall(program, inputs, layout), inTwo(lse), visit);
  }

  #weightsCall(program: HostProgram, inputs: Scored, layout: Layout) {
    const { q, k } = inputs;
    const half = "half" in inputs ? inputs.half : undefined;
    const { T, S, D } = program.shapes;
    const rows = callLayout(layout, program.shapes, program.queryLengths, program.keyLengths);
    return this.call(program, rows, { q, k }, {}, 4 * (T + S * D), half);
  }

  /** The weights [B, H, T, S], whatever the layout: before dropout and without the sink's share. */
  weights(
    program: HostProgram,
    inputs: Scored,
    { emptyRows, ...lse }: Omit<ForwardResult, "output">,
    layout: Layout = "bhtd",
  ): Float32Array {
    const { B, H, T, S } = program.shapes;
    const weights = new Float32Array(B * H * T * S);
    const visit = (stripe: WeightStripe) => storeWeights(program.shapes, stripe, weights);
    this.eachWeights(program, inputs, lse, visit, layout);
    fillUniformWeights(program, emptyRows, weights);
    return weights;
  }

  /** Statistics of the same weights, whatever the layout, which are never together in memory. */
  probe(
    program: HostProgram,
    inputs: Omit<FloatInputs, "v">,
    { emptyRows, ...lse }: Omit<ForwardResult, "output">,
    plan: ProbePlan,
    layout: Layout = "bhtd",
  ): ProbeArrays {
    const arrays = probePass(this, this.#weightsCall(program, inputs, layout), inTwo(lse), plan);
    addUniformStatistics(program, plan, emptyRows, arrays);
    return arrays;
  }

  /** The gradients of Σ dout·output + Σ dlse·lse. */
  backward(
    program: HostProgram,
    { q, k, v }: FloatInputs,
    { output, emptyRows, ...lse }: ForwardResult,
    dout: Float32Array,
    dlse?: Float32Array,
    order: Layout = "bhtd",
  ): FloatGradients {
    const { H } = program.shapes;
    const layout = callLayout(order, program.shapes, program.queryLengths, program.keyLengths);
    const [dq, dk, dv] = [q, k, v].map((x) => new Float32Array(x.length)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const dbias = program.bias && new Float32Array(size(program.bias.array.shape));
    const dsink =
      program.sink === undefined ? undefined : new Float64Array(typeof program.sink === "number" ? 1 : H);
    const sums = program.modification && tensorZeros(program.modification);
    const call = this.#backwardCall(program, layout, { q, k, v, out: output, dout }, { q: dq, k: dk, v: dv });
    backwardPass(this, call, {
      lse: inTwo(lse),
      dlse: () => dlse,
      dbias: () => dbias,
      dsink,
      dtensors: sums,
    });
    addUniformGradients(program, layout, { output, dout }, emptyRows, { dv, dsink });
    return {
      ...{ dq, dk, dv, dbias, dsink: dsink && Float32Array.from(dsink) },
      ...(sums && { dtensors: roundedAll(sums) }),
    };
  }

  #backwardCall(
    program: HostProgram,
    layout: CallLayout,
    inputs: OperandArrays,
    { q: dq, k: dk, v: dv }: FloatInputs,
  ): Call {
    const { T, S, D, Dv } = program.shapes;
    const perGroup = T * (3 * D + 2 * Dv + keyParts(program.shapes) * D) + S * (3 * D + 2 * Dv);
    return this.call(program, layout, inputs, { dq, dk, dv }, 4 * perGroup);
  }
}
