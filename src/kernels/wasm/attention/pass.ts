/**
 * One pass over all heads of a call. Heads that share keys are a group; a group has one problem, the struct that the
 * kernels read, and packed operands of its own.
 *
 *     call      B · Hkv groups of H/Hkv heads
 *     chunk       groups whose operands are in the kernels' memory together (all, where nothing is copied)
 *     batch         groups at work together: one for one thread, many for many
 *       pass 1        keysReady     k and v of every group are packed
 *       pass 2        headReady     for each head of the groups: its q (and dout) packed,
 *       pass 3                        for each stripe of its queries, as many as bias and allow are brought for:
 *                                     blocks of 48 queries × 96 keys, handed to the threads
 *       pass 4        groupsDone    sums over the heads of a group go out: dk and dv
 *
 *              keys 0         96        192       288
 *     queries 0     ┌─────────┬─────────┬─────────┐
 *                   │    1    │    1    │ hidden  │    thread 1 has a run of queries and writes their rows alone
 *            48     ├─────────┼─────────┼─────────┤
 *                   │    2    │    2    │    2    │    thread 2; what a mask hides by whole blocks is not computed
 *            96     └─────────┴─────────┴─────────┘    backward, threads have runs of keys instead
 *
 * Small heads do not come here: heads.ts has one kernel go over all of them.
 */
import type { HostProgram } from "../../../core/program.ts";
import { offsetOf, sinkOf } from "../../../core/program-rows.ts";
import type { CallLayout } from "../../layout.ts";
import { Arena } from "../arena.ts";
import { clampPosition, dropoutFields } from "../fields.ts";
import type { KernelCall, KernelSpace, Scratch } from "../space.ts";
import { PlacedModification } from "./modification.ts";
import { type GroupRange, OPERANDS, type Operand, type Operands } from "./operands.ts";
import {
  clearProblem,
  PLACE,
  PROBLEM_BYTES,
  PROBLEM_FIELDS,
  type ProblemFields,
  problemWords,
  writeProblem,
} from "./problem.ts";
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

/** Memory for one group of heads: a problem, arrays of its own and stripes. `b … S` say which group it holds now. */
export interface HeadGroup<P extends Addresses = Addresses> {
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

/** What a pass does at each of its steps, for all groups of a batch. */
export interface PassHooks<P extends Addresses> {
  /** Step 1: keys and values are in place. */
  keysReady?(batch: HeadGroup<P>[]): void;
  /** Steps 2 and 3: the queries of one head of each group are in place. */
  headReady(batch: HeadGroup<P>[]): void;
  /** Step 4: all heads of the groups are done. */
  groupsDone?(batch: HeadGroup<P>[]): void;
}

/** What the groups of a batch may take together: enough heads to keep threads at work. */
const BATCH_BYTES = 192 * 2 ** 20;
/** A chunk of work for a thread takes about 0.1 ms, so that threads end together. */
const CALL_FLOPS = 2 ** 23;

export const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

export interface PassNeeds<P extends Addresses> {
  /** Which operands of the problem `io` has. */
  readonly operands: readonly Operand[];
  /** Bytes of scratch of one thread. */
  readonly scratchBytes: number;
  /** Takes what each group needs of its own. */
  readonly packed: (arena: Arena) => P;
  /** The most rows that a stripe may have. */
  readonly mostRows?: number;
  /** Has groups come one after another, for sums over heads that must not depend on how many are at work. */
  readonly inOrder?: boolean;
}

/** One pass over all heads of a program, a batch of groups at a time: one group for one thread, many for many. */
export class Pass<P extends Addresses> {
  readonly #space: KernelSpace;
  readonly #call: Call;
  readonly #queryOperands: readonly Operand[];
  readonly #keyOperands: readonly Operand[];
  readonly groups: HeadGroup<P>[];
  readonly scratch: Scratch;
  /** The functions of scores of the call, in the kernels' memory. */
  readonly modification: PlacedModification | undefined;
  /** Queries per stripe. */
  readonly step: number;

  constructor({ space, lay }: Workspace, call: Call, needs: PassNeeds<P>) {
    this.#space = space;
    this.#call = call;
    this.#queryOperands = needs.operands.filter((name) => OPERANDS[name][0] === "queries");
    this.#keyOperands = needs.operands.filter((name) => OPERANDS[name][0] === "keys");
    const { program, io } = call;
    this.step = Math.min(stripeStep(program), needs.mostRows ?? Infinity);
    const most = io.chunks.reduce((n, [first, end]) => Math.max(n, end - first), 0);
    const takeGroup = (arena: Arena) => ({
      problem: arena.take(PROBLEM_BYTES),
      own: needs.packed(arena),
      stripes: new Stripes(program, arena, this.step),
      ...{ b: 0, g: 0, h: 0, T: 0, S: 0 },
    });
    this.modification = PlacedModification.of(space, program);
    const dry = new Arena(space.memory);
    takeGroup(dry);
    const fitting = Math.max(1, Math.floor(BATCH_BYTES / dry.bytes));
    const count = Math.min(most, space.threads > 1 && !needs.inOrder ? fitting : 1);
    const { groups, scratch } = lay(program.op, (arena) => {
      io.lay(arena);
      this.modification?.lay(arena);
      const groups = Array.from({ length: count }, () => takeGroup(arena));
      return { groups, scratch: arena.take(roundUp(needs.scratchBytes, 64) * space.threads) };
    });
    this.groups = groups;
    this.scratch = { address: scratch, bytes: roundUp(needs.scratchBytes, 64) };
    const functions = this.modification?.place() ?? {};
    for (const group of groups) this.#writeConstants(group, functions);
  }

  /** What all heads share. */
  #writeConstants({ problem, own }: HeadGroup<P>, functions: ProblemFields): void {
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
      ...functions,
    });
  }

  run(hooks: PassHooks<P>): void {
    const { program, io } = this.#call;
    const perGroup = program.shapes.H / program.shapes.Hkv;
    for (const chunk of io.chunks) {
      io.copyIn(chunk);
      for (let first = chunk[0]; first < chunk[1]; first += this.groups.length) {
        const batch = this.#enter([first, Math.min(chunk[1], first + this.groups.length)]);
        hooks.keysReady?.(batch);
        for (let n = 0; n < perGroup; n++) {
          for (const group of batch) this.#enterHead(group, group.g * perGroup + n);
          hooks.headReady(batch);
        }
        hooks.groupsDone?.(batch);
      }
      io.copyOut(chunk);
    }
  }

  /** Puts groups [first, end) of the call into the memory of a batch. Runs for every group: no objects are made here. */
  #enter([first, end]: GroupRange): HeadGroup<P>[] {
    const { program, io } = this.#call;
    const { T, S, Hkv } = program.shapes;
    const { queryLengths, keyLengths, left, right } = program;
    const { integers } = problemWords(this.#space.memory);
    const batch = end - first === this.groups.length ? this.groups : this.groups.slice(0, end - first);
    let index = first;
    for (const group of batch) {
      group.g = index % Hkv;
      group.b = (index - group.g) / Hkv;
      group.T = queryLengths ? queryLengths[group.b]! : T;
      group.S = keyLengths ? keyLengths[group.b]! : S;
      const offset = offsetOf(program, group.b);
      const at = group.problem >>> 2;
      integers[at + PLACE.T] = group.T;
      integers[at + PLACE.S] = group.S;
      integers[at + PLACE.b] = group.b;
      integers[at + PLACE.low] = clampPosition(offset - left);
      integers[at + PLACE.high] = clampPosition(offset + right);
      for (const name of this.#keyOperands) integers[at + PLACE[name]] = io.address(name, group.b, group.g);
      index++;
    }
    return batch;
  }

  #enterHead(group: HeadGroup<P>, h: number): void {
    group.h = h;
    const { integers, floats } = problemWords(this.#space.memory);
    const at = group.problem >>> 2;
    integers[at + PLACE.h] = h;
    floats[at + PLACE.sink] = sinkOf(this.#call.program, h);
    for (const name of this.#queryOperands) {
      integers[at + PLACE[name]] = this.#call.io.address(name, group.b, h);
    }
  }

  /** Calls a kernel once for each group, with its problem. */
  each(kernel: string, batch: HeadGroup<P>[], flops: (group: HeadGroup<P>) => number): void {
    const total = batch.reduce((sum, group) => sum + flops(group), 0);
    this.#space.run(
      kernel,
      batch.map(({ problem }) => [problem]),
      total,
    );
  }

  /** Runs over the queries of the heads in the groups, as many at a time as bias and allow allow. */
  eachStripe(batch: HeadGroup<P>[], visit: (groups: HeadGroup<P>[], i0: number, end: number) => void): void {
    const { bias, allow } = this.#call.program;
    let longest = 0;
    for (const { T } of batch) longest = Math.max(longest, T);
    for (let i0 = 0; i0 < longest; i0 += this.step) {
      const active = batch.length === 1 ? batch : batch.filter((group) => i0 < group.T);
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
  flops({ S }: HeadGroup<P>, rows: number, perPair: number): number {
    const { left, right } = this.#call.program;
    return rows * Math.min(S, left + right + 1 + BLOCK_ROWS) * perPair;
  }

  /**
   * Calls a kernel with (problem, i0, i1, scratch) over queries [first, end) of each group, in chunks for the threads:
   * head by head, so that they share its keys in the cache, and its last queries first, because under causality they
   * take longest.
   */
  eachQueries(kernel: string, groups: HeadGroup<P>[], [first, end]: GroupRange, perPair: number): void {
    const calls: KernelCall[] = [];
    let flops = 0;
    for (const group of groups) {
      const i1 = Math.min(group.T, end);
      const perBlock = this.flops(group, BLOCK_ROWS, perPair);
      const blocks = this.#space.threads > 1 ? Math.ceil(CALL_FLOPS / perBlock) : Infinity;
      const rows = Math.min(blocks * BLOCK_ROWS, end - first);
      const chunks = Math.ceil((i1 - first) / rows);
      for (let n = chunks - 1; n >= 0; n--) {
        const i = first + n * rows;
        calls.push([group.problem, i, Math.min(i1, i + rows)]);
      }
      flops += this.flops(group, i1 - first, perPair);
    }
    this.#space.run(kernel, calls, flops, this.scratch, this.modification?.functions);
  }

  /** Copies the log-sum-exp of the head in a group to its problem. */
  bringLse(
    { own, b, h, T }: HeadGroup<P & { lse: number; lseLow: number }>,
    { high, low }: LogSumExpViews,
  ): void {
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
