import type { HostProgram } from "../../../core/program.ts";
import { offsetOf, sinkOf } from "../../../core/program-rows.ts";
import type { CallLayout } from "../../layout.ts";
import { Arena } from "../arena.ts";
import { clampPosition, dropoutFields } from "../fields.ts";
import type { KernelCall, KernelSpace, Scratch } from "../space.ts";
import type { Groups, Operands } from "./operands.ts";
import { clearProblem, PLACE, PROBLEM_BYTES, PROBLEM_FIELDS, problemWords, writeProblem } from "./problem.ts";
import { BLOCK_ROWS, Stripes, stripeStep } from "./stripes.ts";

/** A space and how to take memory in it: on its own memory, or from TensorFlow.js' heap. */
export interface Workspace {
  readonly space: KernelSpace;
  /**
   * Calls `take` until everything it took is there, perhaps twice at different addresses.
   *
   * @throws MemoryError
   */
  lay<T>(op: string, take: (arena: Arena) => T): T;
}

/**
 * The log-sum-exp of every row, by `layout.queries.index`, in two floats whose sum it is: with scores in the thousands
 * one float leaves weights, and so gradients, three digits. Views are asked for when no memory will grow any more.
 */
export interface LogSumExp {
  high(): Float32Array;
  /** What rounding took from `high`. */
  low(): Float32Array;
  /** Their addresses, where they stand in the kernels' memory. */
  readonly placed?: { readonly high: number; readonly low: number } | undefined;
}

export interface LogSumExpViews {
  readonly high: Float32Array;
  readonly low: Float32Array;
}

export function viewsOf(lse: LogSumExp): LogSumExpViews {
  return { high: lse.high(), low: lse.low() };
}

/** A call: what to compute, how its rows lie, and where they are. */
export interface Call {
  readonly program: HostProgram;
  readonly layout: CallLayout;
  readonly io: Operands;
}

/** Addresses by name. Those that a problem has a field for are written there. */
export type Addresses = Record<string, number>;

/** A place for one group of heads: a problem, arrays of its own and stripes. `b … S` say which group is in it. */
export interface Slot<P extends Addresses = Addresses> {
  readonly problem: number;
  readonly own: P;
  readonly stripes: Stripes;
  b: number;
  g: number;
  h: number;
  /** The lengths that padding leaves. */
  T: number;
  S: number;
}

/** What a pass does at each station. All slots of a wave are at the same station. */
export interface Stations<P extends Addresses> {
  /** Keys and values are in place. */
  enter?(wave: Slot<P>[]): void;
  /** Queries of one head of each group are in place. */
  head(wave: Slot<P>[]): void;
  /** All heads of the groups are done. */
  leave?(wave: Slot<P>[]): void;
}

/** What the slots of a wave may take together: enough heads to keep threads at work. */
const WAVE_BYTES = 192 * 2 ** 20;
/** A piece of work for a thread takes about 0.1 ms, so that threads end together. */
const CALL_FLOPS = 2 ** 23;

export const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

const QUERY_OPERANDS = ["q", "out", "dout", "dq"] as const;
const KEY_OPERANDS = ["k", "v", "dk", "dv"] as const;
type QueryOperand = (typeof QUERY_OPERANDS)[number];
type KeyOperand = (typeof KEY_OPERANDS)[number];

export interface PassNeeds<P extends Addresses> {
  /** Which operands of the problem `io` has. */
  readonly operands: readonly (QueryOperand | KeyOperand)[];
  /** Bytes of scratch of one thread. */
  readonly scratchBytes: number;
  /** Takes what each slot needs of its own. */
  readonly packed: (arena: Arena) => P;
  /** The most rows that a stripe may have. */
  readonly mostRows?: number;
  /** Has groups come one after another, for sums over heads that must not depend on how many are at work. */
  readonly inOrder?: boolean;
}

/** One pass over all heads of a program, a wave of slots at a time: one slot for one thread, many for many. */
export class Pass<P extends Addresses> {
  readonly #space: KernelSpace;
  readonly #call: Call;
  readonly #queryOperands: readonly QueryOperand[];
  readonly #keyOperands: readonly KeyOperand[];
  readonly slots: Slot<P>[];
  readonly scratch: Scratch;
  /** Queries per stripe. */
  readonly step: number;

  constructor({ space, lay }: Workspace, call: Call, needs: PassNeeds<P>) {
    this.#space = space;
    this.#call = call;
    this.#queryOperands = QUERY_OPERANDS.filter((name) => needs.operands.includes(name));
    this.#keyOperands = KEY_OPERANDS.filter((name) => needs.operands.includes(name));
    const { program, io } = call;
    this.step = Math.min(stripeStep(program), needs.mostRows ?? Infinity);
    const most = io.pieces.reduce((n, [first, end]) => Math.max(n, end - first), 0);
    const takeSlot = (arena: Arena) => ({
      problem: arena.take(PROBLEM_BYTES),
      own: needs.packed(arena),
      stripes: new Stripes(program, arena, this.step),
      ...{ b: 0, g: 0, h: 0, T: 0, S: 0 },
    });
    const dry = new Arena(space.memory);
    takeSlot(dry);
    const fitting = Math.max(1, Math.floor(WAVE_BYTES / dry.bytes));
    const count = Math.min(most, space.threads > 1 && !needs.inOrder ? fitting : 1);
    const { slots, scratch } = lay(program.op, (arena) => {
      io.lay(arena);
      const slots = Array.from({ length: count }, () => takeSlot(arena));
      return { slots, scratch: arena.take(roundUp(needs.scratchBytes, 64) * space.threads) };
    });
    this.slots = slots;
    this.scratch = { address: scratch, bytes: roundUp(needs.scratchBytes, 64) };
    for (const slot of slots) this.#writeConstants(slot);
  }

  /** What all heads share. */
  #writeConstants({ problem, own }: Slot<P>): void {
    const { program, layout } = this.#call;
    const { D, Dv } = program.shapes;
    const { memory } = this.#space;
    clearProblem(memory, problem);
    const { integers } = problemWords(memory);
    for (const name in own) {
      if (name in PROBLEM_FIELDS) integers[(problem >>> 2) + PLACE[name as keyof typeof PLACE]] = own[name]!;
    }
    writeProblem(memory, problem, { D, Dv, scale: program.scale, softCap: program.softCap ?? 0 });
    writeProblem(memory, problem, {
      ...{ qRow: layout.queries.step(D), outRow: layout.queries.step(Dv) },
      ...{ kRow: layout.keys.step(D), vRow: layout.keys.step(Dv) },
      ...dropoutFields(program),
    });
  }

  run(stations: Stations<P>): void {
    const { program, io } = this.#call;
    const perGroup = program.shapes.H / program.shapes.Hkv;
    for (const piece of io.pieces) {
      io.enter(piece);
      for (let first = piece[0]; first < piece[1]; first += this.slots.length) {
        const wave = this.#enter([first, Math.min(piece[1], first + this.slots.length)]);
        stations.enter?.(wave);
        for (let n = 0; n < perGroup; n++) {
          for (const slot of wave) this.#enterHead(slot, slot.g * perGroup + n);
          stations.head(wave);
        }
        stations.leave?.(wave);
      }
      io.leave(piece);
    }
  }

  /** Brings groups [first, end) into the slots. Runs for every group: no objects are made here. */
  #enter([first, end]: Groups): Slot<P>[] {
    const { program, io } = this.#call;
    const { T, S, Hkv } = program.shapes;
    const { queryLengths, keyLengths, left, right } = program;
    const { integers } = problemWords(this.#space.memory);
    const wave = end - first === this.slots.length ? this.slots : this.slots.slice(0, end - first);
    let group = first;
    for (const slot of wave) {
      slot.g = group % Hkv;
      slot.b = (group - slot.g) / Hkv;
      slot.T = queryLengths ? queryLengths[slot.b]! : T;
      slot.S = keyLengths ? keyLengths[slot.b]! : S;
      const offset = offsetOf(program, slot.b);
      const at = slot.problem >>> 2;
      integers[at + PLACE.T] = slot.T;
      integers[at + PLACE.S] = slot.S;
      integers[at + PLACE.b] = slot.b;
      integers[at + PLACE.low] = clampPosition(offset - left);
      integers[at + PLACE.high] = clampPosition(offset + right);
      for (const name of this.#keyOperands) integers[at + PLACE[name]] = io.address(name, slot.b, slot.g);
      group++;
    }
    return wave;
  }

  #enterHead(slot: Slot<P>, h: number): void {
    slot.h = h;
    const { integers, floats } = problemWords(this.#space.memory);
    const at = slot.problem >>> 2;
    integers[at + PLACE.h] = h;
    floats[at + PLACE.sink] = sinkOf(this.#call.program, h);
    for (const name of this.#queryOperands) {
      integers[at + PLACE[name]] = this.#call.io.address(name, slot.b, h);
    }
  }

  /** Calls a kernel once for each slot, with its problem. */
  each(kernel: string, wave: Slot<P>[], flops: (slot: Slot<P>) => number): void {
    const total = wave.reduce((sum, slot) => sum + flops(slot), 0);
    this.#space.run(
      kernel,
      wave.map(({ problem }) => [problem]),
      total,
    );
  }

  /** Runs over the queries of the heads in the slots, as many at a time as bias and allow allow. */
  eachStripe(wave: Slot<P>[], visit: (slots: Slot<P>[], i0: number, end: number) => void): void {
    const { bias, allow } = this.#call.program;
    let longest = 0;
    for (const { T } of wave) longest = Math.max(longest, T);
    for (let i0 = 0; i0 < longest; i0 += this.step) {
      const active = wave.length === 1 ? wave : wave.filter((slot) => i0 < slot.T);
      if (bias || allow) {
        for (const { stripes, problem, b, h, T } of active) {
          const fields = stripes.bring(b, h, i0, Math.min(T, i0 + this.step));
          writeProblem(this.#space.memory, problem, fields);
        }
      } else {
        for (const { problem } of active) {
          problemWords(this.#space.memory).integers[(problem >>> 2) + PLACE.row0] = i0;
        }
      }
      visit(active, i0, i0 + this.step);
    }
  }

  /** Flops of so many queries at `perPair` flops a query and key, as far as band and lengths say. */
  flops({ S }: Slot<P>, rows: number, perPair: number): number {
    const { left, right } = this.#call.program;
    return rows * Math.min(S, left + right + 1 + BLOCK_ROWS) * perPair;
  }

  /**
   * Calls a kernel with (problem, i0, i1, scratch) over queries [first, end) of each slot, in pieces for the threads:
   * head by head, so that they share its keys in the cache, and its last queries first, because under causality they
   * take longest.
   */
  eachQueries(kernel: string, slots: Slot<P>[], [first, end]: Groups, perPair: number): void {
    const calls: KernelCall[] = [];
    let flops = 0;
    for (const slot of slots) {
      const i1 = Math.min(slot.T, end);
      const perBlock = this.flops(slot, BLOCK_ROWS, perPair);
      const blocks = this.#space.threads > 1 ? Math.ceil(CALL_FLOPS / perBlock) : Infinity;
      const rows = Math.min(blocks * BLOCK_ROWS, end - first);
      const pieces = Math.ceil((i1 - first) / rows);
      for (let n = pieces - 1; n >= 0; n--) {
        const i = first + n * rows;
        calls.push([slot.problem, i, Math.min(i1, i + rows)]);
      }
      flops += this.flops(slot, i1 - first, perPair);
    }
    this.#space.run(kernel, calls, flops, this.scratch);
  }

  /** Copies the log-sum-exp of the head in a slot to its problem. */
  bringLse({ own, b, h, T }: Slot<P & { lse: number; lseLow: number }>, { high, low }: LogSumExpViews): void {
    const first = this.#call.layout.queries.index(b, h, 0);
    const { buffer } = this.#space.memory;
    new Float32Array(buffer, own.lse, T).set(high.subarray(first, first + T));
    new Float32Array(buffer, own.lseLow, T).set(low.subarray(first, first + T));
  }

  /** Sets rows [first, end) of an operand to 0. */
  clearRows(address: number, step: number, width: number, first: number, end: number): void {
    const f32 = new Float32Array(this.#space.memory.buffer);
    const start = address / 4;
    if (step === width) f32.fill(0, start + first * step, start + end * step);
    else for (let i = first; i < end; i++) f32.fill(0, start + i * step, start + i * step + width);
  }
}
