import type { HostProgram } from "../../../core/program.ts";
import { sinkOf } from "../../../core/program-rows.ts";
import { HeadsCall, headFlops, isManyHeads } from "./heads.ts";
import {
  type Call,
  type LogSumExp,
  type LogSumExpViews,
  Pass,
  roundUp,
  viewsOf,
  type Workspace,
} from "./pass.ts";
import { biasSlice, stripeRows, stripeStep } from "./stripes.ts";

/** Arrays that backwardPass reads and adds to in ordinary memory; the others are operands. */
export interface BackwardArrays {
  readonly lse: LogSumExp;
  /** By `layout.queries.index`. */
  dlse(): Float32Array | undefined;
  /** In the shape of `bias`, 0 before; undefined where nobody asks. */
  dbias(): Float32Array | undefined;
  /** [H], or one number where the sink is one; 0 before. */
  readonly dsink: Float64Array | undefined;
  /** Of captured tensors by name, 0 before; undefined where nobody asks. */
  readonly dtensors?: Readonly<Record<string, Float64Array>> | undefined;
}

/** Keys of a part are whole blocks of the kernels. */
const KEY_BLOCK = 96;
const MOST_PARTS = 4;

/**
 * In how many parts a head's keys are cut, so that there is work for every thread. It depends on the shapes alone,
 * never on the number of threads, because sums over the keys are made part by part: dq is the sum of the parts' sums
 * in their order, on one thread as on many.
 */
export function keyParts({ B, Hkv, S }: { B: number; Hkv: number; S: number }): number {
  const wanted = Math.min(MOST_PARTS, Math.ceil(16 / Math.max(1, B * Hkv)));
  return Math.max(1, Math.min(wanted, Math.floor(S / (2 * KEY_BLOCK))));
}

/**
 * The gradients of Σ dout·output + Σ dlse·lse: operands `dq`, `dk`, `dv` from q, k, v, out and dout. Each part of the
 * keys sums its dk and dv over the queries and the heads of the group in their order, and a part of dq of its own.
 *
 * @throws MemoryError · WorkerError
 */
export function backwardPass(workspace: Workspace, call: Call, arrays: BackwardArrays): void {
  const { program, layout, io } = call;
  const { T, S, D, Dv } = program.shapes;
  const { space } = workspace;
  const parts = keyParts(program.shapes);
  const wantsBias = arrays.dbias() !== undefined;
  const wantsTensors = Object.keys(arrays.dtensors ?? {}).length > 0;
  const flops = headFlops(program, 6 * D + 4 * Dv);
  if (parts === 1 && !wantsBias && !wantsTensors && isManyHeads(workspace, call, flops)) {
    backwardHeads(workspace, call, arrays);
    return;
  }
  const { kernels, memory } = space;
  const [wideD, wideDv, T6, S24] = [roundUp(D, 8), roundUp(Dv, 8), roundUp(T, 6), roundUp(S, 24)];
  const partBytes = 4 * T6 * wideD;
  const bias = wantsBias ? new BiasGradients(program, parts) : undefined;
  const sumBytes = 8 * Object.values(arrays.dtensors ?? {}).reduce((sum, { length }) => sum + length, 0);
  const pass = new Pass(workspace, call, {
    operands: ["q", "k", "v", "out", "dout", "dq", "dk", "dv"],
    scratchBytes: kernels.attentionBackwardScratchBytes!(),
    inOrder: bias !== undefined && needsOrder(program),
    packed: (arena) => ({
      ...{
        lse: arena.floats(T),
        lseLow: arena.floats(T),
        delta: arena.floats(T),
        rowFlags: arena.take(S),
        doutFlags: arena.take(T),
      },
      ...{ keyPanels: arena.floats(S24 * D), valuePanels: arena.floats(S24 * Dv) },
      keyStrips: arena.floats(S * wideD),
      ...{ queryPanels: arena.floats(T6 * D), queryStrips: arena.floats(T * wideD) },
      ...{ doutPanels: arena.floats(T6 * Dv), doutStrips: arena.floats(T * wideDv) },
      ...{ dkSum: arena.floats(S24 * wideD), dvSum: arena.floats(S24 * wideDv) },
      ...{ partial: arena.take(parts * partBytes), dbias: bias ? arena.floats(bias.floats) : 0 },
      sums: wantsTensors ? arena.take(parts * sumBytes) : 0,
    }),
  });
  /** The sink's gradient by (b, h): summed at the end, in that order. */
  const sinkParts = arrays.dsink && new Float64Array(program.shapes.B * program.shapes.H);
  const [lse, dlse, dbias] = [viewsOf(arrays.lse), arrays.dlse(), arrays.dbias()];

  const bring = (group: (typeof pass.groups)[number]) => {
    const { own, b, h, T: valid } = group;
    pass.bringLse(group, lse);
    const first = layout.queries.index(b, h, 0);
    const delta = new Float32Array(memory.buffer, own.delta, valid);
    if (dlse) delta.set(dlse.subarray(first, first + valid));
    else delta.fill(0);
  };
  const store = ({ own, b, h, T: valid }: (typeof pass.groups)[number]) => {
    if (sinkParts) {
      const delta = new Float32Array(memory.buffer, own.delta, valid);
      sinkParts[b * program.shapes.H + h] = sinkGradient(call, { b, h }, { lse, delta, dlse });
    }
    if (valid === T || layout.queries.starts) return;
    pass.clearRows(io.address("dq", b, h), layout.queries.step(D), D, valid, T);
  };
  /** Every part of the keys against every query of the stripe. */
  const multiply = (groups: typeof pass.groups, i0: number, end: number) => {
    const calls: number[][] = [];
    let flops = 0;
    for (const group of groups) {
      const i1 = Math.min(group.T, end);
      const keys = roundUp(Math.ceil(group.S / parts), KEY_BLOCK);
      for (let part = 0; part < parts; part++) {
        const [j0, j1] = [part * keys, Math.min(group.S, (part + 1) * keys)];
        const dq = group.own.partial + part * partBytes;
        const own = bias ? group.own.dbias + 4 * bias.partStart(part) : 0;
        // A part without keys clears its dq all the same.
        const sums = wantsTensors ? group.own.sums + part * sumBytes : 0;
        calls.push([group.problem, i0, i1, Math.min(j0, group.S), j1, dq, own, sums]);
      }
      flops += pass.flops(group, i1 - i0, 6 * D + 4 * Dv);
    }
    space.run("attentionBackward", calls, flops, pass.scratch, pass.modification?.functions);
  };

  pass.run({
    keysReady: (batch) => {
      for (const { own } of batch)
        new Uint8Array(memory.buffer, own.sums, own.sums ? parts * sumBytes : 0).fill(0);
      pass.each("attentionBackwardKeys", batch, (group) => 8 * group.S * (D + Dv));
    },
    headReady: (batch) => {
      for (const group of batch) bring(group);
      pass.each("attentionBackwardQueries", batch, (group) => 8 * group.T * (D + Dv));
      pass.eachStripe(batch, (groups, i0, end) => {
        for (const { own } of groups) bias?.clear(memory, own.dbias);
        multiply(groups, i0, end);
        for (const { own, b, h, T: valid } of groups) {
          if (bias) bias.add(memory, own.dbias, biasSlice(program, dbias!, b, h, i0, Math.min(valid, end)));
        }
      });
      space.run(
        "attentionBackwardQueriesDone",
        batch.map(({ problem, own }) => [problem, own.partial, parts, partBytes]),
        batch.reduce((sum, group) => sum + 4 * group.T * D * parts, 0),
      );
      for (const group of batch) store(group);
    },
    groupsDone: (batch) => {
      pass.each("attentionBackwardKeysDone", batch, (group) => 4 * group.S * (D + Dv));
      // Sums of a group are of all its heads: their order does not depend on how many groups are at work.
      for (const { own } of wantsTensors ? batch : []) {
        for (let part = 0; part < parts; part++) {
          pass.modification!.addTo(arrays.dtensors!, own.sums + part * sumBytes);
        }
      }
      for (const { b, g, S: visible } of batch) {
        if (visible === S || layout.keys.starts) continue;
        pass.clearRows(io.address("dk", b, g), layout.keys.step(D), D, visible, S);
        pass.clearRows(io.address("dv", b, g), layout.keys.step(Dv), Dv, visible, S);
      }
    },
  });
  if (sinkParts) addSinkGradients(program, sinkParts, arrays.dsink!);
}

/** Parts by (b, h), in that order. */
function addSinkGradients({ shapes: { H } }: HostProgram, parts: Float64Array, dsink: Float64Array): void {
  for (const [head, part] of parts.entries()) dsink[dsink.length === 1 ? 0 : head % H]! += part;
}

/** The same for many small heads, whose keys are one part. */
function backwardHeads(workspace: Workspace, call: Call, arrays: BackwardArrays): void {
  const { program, layout } = call;
  const { B, H, T, D, Dv } = program.shapes;
  const heads = new HeadsCall(workspace, call, {
    kernel: "attentionHeadsBackward",
    operands: ["q", "k", "v", "out", "dout", "dq", "dk", "dv"],
    perPair: 6 * D + 4 * Dv,
    lse: arrays.lse,
  });
  const { buffer } = workspace.space.memory;
  const rows = layout.queries.rows(B);
  const lse = viewsOf(arrays.lse);
  if (!arrays.lse.placed) {
    new Float32Array(buffer, heads.lse, rows).set(lse.high);
    new Float32Array(buffer, heads.lseLow, rows).set(lse.low);
  }
  const dlse = arrays.dlse();
  const delta = new Float32Array(buffer, heads.delta, rows);
  if (dlse) delta.set(dlse);
  else delta.fill(0);
  heads.run();
  if (!arrays.dsink) return;
  const parts = new Float64Array(B * H);
  for (let n = 0; n < B * H; n++) {
    const [b, h] = [Math.floor(n / H), n % H];
    const valid = program.queryLengths?.[b] ?? T;
    const first = layout.queries.index(b, h, 0);
    const own = { lse, dlse, delta: delta.subarray(first, first + valid) };
    parts[n] = sinkGradient(call, { b, h }, own);
  }
  addSinkGradients(program, parts, arrays.dsink);
}

/**
 * Whether the gradient of a bias that heads share would be summed in another order by a batch of heads than by one head
 * after another: where a group has several, and where all queries share it but come stripe by stripe. Such a call
 * runs one group at a time, cut along its keys.
 */
function needsOrder(program: HostProgram): boolean {
  const { H, Hkv, T } = program.shapes;
  return H > Hkv || (program.bias!.strides[2] === 0 && stripeStep(program) < T);
}

/** A stripe of the bias' gradient in the memory of the kernels, and how it joins the whole. */
class BiasGradients {
  /** Floats of a stripe, of all parts together. */
  readonly floats: number;
  readonly #parts: number;
  readonly #partFloats: number;

  constructor(program: HostProgram, parts: number) {
    const { array, strides } = program.bias!;
    const rows = strides[2] ? stripeRows(program) : 1;
    this.#partFloats = rows * array.shape.at(-1)!;
    // Parts of the keys write different columns, unless all keys share one: then each has an array of its own.
    this.#parts = strides[3] === 0 ? parts : 1;
    this.floats = this.#parts * this.#partFloats;
  }

  /** Where a part's array begins. */
  partStart(part: number): number {
    return this.#parts === 1 ? 0 : part * this.#partFloats;
  }

  clear(memory: WebAssembly.Memory, address: number): void {
    new Float32Array(memory.buffer, address, this.floats).fill(0);
  }

  /** Adds a stripe to its place among all rows. */
  add(memory: WebAssembly.Memory, address: number, rows: Float32Array): void {
    for (let part = 0; part < this.#parts; part++) {
      const own = new Float32Array(memory.buffer, address + 4 * this.partStart(part), rows.length);
      for (let e = 0; e < rows.length; e++) rows[e]! += own[e]!;
    }
  }
}

/** The sink's gradient is −p_sink (dout · out − dlse), over padded queries too: they see the sink alone. */
function sinkGradient(
  { program, layout }: Call,
  { b, h }: { b: number; h: number },
  { lse, delta, dlse }: { lse: LogSumExpViews; delta: Float32Array; dlse: Float32Array | undefined },
): number {
  const sink = sinkOf(program, h);
  const rows = layout.queries.starts ? delta.length : program.shapes.T;
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const row = layout.queries.index(b, h, i);
    if (lse.high[row] === -Infinity) continue;
    const d = i < delta.length ? delta[i]! : -(dlse?.[row] ?? 0);
    sum -= Math.exp(sink - lse.high[row]! - lse.low[row]!) * d;
  }
  return sum;
}
