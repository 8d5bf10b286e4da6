/**
 * Many small heads in one call of a kernel, which goes from head to head by itself: entering a head from JavaScript
 * takes 2 µs, longer than a head of 16 × 16 takes. The bits are those of `Pass`, which larger heads need because it
 * shares one head among threads.
 */
import type { HostArray } from "../../../core/notation.ts";
import type { Broadcast, HostProgram } from "../../../core/program.ts";
import { offsetOf } from "../../../core/program-rows.ts";
import type { RowLayout } from "../../layout.ts";
import { clampPosition, dropoutFields } from "../fields.ts";
import type { KernelCall } from "../space.ts";
import { PlacedModification } from "./modification.ts";
import type { Operand } from "./operands.ts";
import type { Call, LogSumExp, Workspace } from "./pass.ts";
import { roundUp } from "./pass.ts";
import { clearProblem, PROBLEM_BYTES, problemWords, writeProblem } from "./problem.ts";

/** An array that stands in the kernels' memory. */
export interface PlacedHostArray extends HostArray {
  readonly address: number;
}

/** The most queries and keys of a head that one thread packs and computes by itself. */
const MOST_ROWS = 383;
/** So few queries read their keys where they are, forward, any number of them: FEW of assembly/attention/decode.ts. */
const FEW = 4;
/** The most numbers of a mask that is brought whole. */
const MOST_MASK = 2 ** 20;
const CALLS_PER_THREAD = 4;
/** Vectors of a mask may be read past its end. */
const MASK_SLACK = 1024;

/**
 * Whether a call runs this way: small heads, and enough of them for the threads or too little work for any. A few queries
 * of a pass that `reads` alone may have any number of keys, so that a step of decoding does not change its way as they grow.
 */
export function isManyHeads(
  { space }: Workspace,
  { program, layout, io }: Call,
  flops: number,
  reads = false,
): boolean {
  const { B, Hkv, T, S } = program.shapes;
  const isPacked = layout.queries.starts !== undefined;
  if (T > MOST_ROWS) return false;
  if (S > MOST_ROWS && !(reads && T <= FEW && !isPacked)) return false;
  // Which rows of packed sequences are empty is found one sequence at a time.
  if (isPacked && program.onEmptyRow !== "zero") return false;
  if (!isAtHand(space.memory, program.bias, io.placed)) return false;
  if (!isAtHand(space.memory, program.allow, io.placed)) return false;
  const groups = B * Hkv;
  return (
    groups % space.threads === 0 || groups >= CALLS_PER_THREAD * space.threads || flops < space.leastFlops
  );
}

function isAtHand(
  { buffer }: WebAssembly.Memory,
  mask: Broadcast<HostArray> | undefined,
  placed: boolean,
): boolean {
  if (!mask) return true;
  const n = mask.array.values.length;
  if (!placed) return n <= MOST_MASK;
  return (mask.array as PlacedHostArray).address + 4 * n + MASK_SLACK <= buffer.byteLength;
}

/** Flops of all heads, as far as band and lengths say. */
export function headFlops({ shapes, left, right }: HostProgram, perPair: number): number {
  return shapes.B * shapes.H * shapes.T * Math.min(shapes.S, left + right + 1) * perPair;
}

export interface HeadsNeeds {
  readonly kernel: "attentionHeads" | "attentionHeadsBackward";
  readonly operands: readonly Operand[];
  /** Flops of a query and key. */
  readonly perPair: number;
  readonly lse: LogSumExp;
}

/** Where `Heads` of assembly/attention/heads.ts has its fields, four bytes each; examples and heads follow an operand. */
const PLACE = { q: 5, k: 8, v: 11, out: 14, bias: 26, allow: 29, dout: 32, dq: 33, dk: 34, dv: 35 };
const HEADS_FIELDS = 40;

/** The arrays of one call that stand beside its operands. */
export class HeadsCall {
  readonly #workspace: Workspace;
  readonly #call: Call;
  readonly #needs: HeadsNeeds;
  readonly #modification: PlacedModification | undefined;
  /** The struct, and each thread's scratch. */
  #heads = 0;
  #scratch = { address: 0, bytes: 0 };
  lse = 0;
  lseLow = 0;
  /** A byte for each row, or 0. */
  empty = 0;
  /** dlse before, delta afterwards; backward only. */
  delta = 0;

  constructor(workspace: Workspace, call: Call, needs: HeadsNeeds) {
    this.#workspace = workspace;
    this.#call = call;
    this.#needs = needs;
    const { program, layout, io } = call;
    const { B, H, T, S, D, Dv } = program.shapes;
    const { kernels, threads } = workspace.space;
    this.#modification = PlacedModification.of(workspace.space, program);
    const isForward = needs.kernel === "attentionHeads";
    const bytes = isForward
      ? kernels.attentionHeadsBytes!(T, S, D, Dv)
      : kernels.attentionHeadsBackwardBytes!(T, S, D, Dv);
    this.#scratch.bytes = roundUp(bytes, 64);
    const rows = layout.queries.rows(B);
    const { placed } = needs.lse;
    const rooms = workspace.lay(program.op, (arena) => {
      const room = (mask: Broadcast<HostArray> | undefined, bytes: number) =>
        mask && !io.placed ? arena.take(bytes * mask.array.values.length + MASK_SLACK) : 0;
      io.lay(arena);
      this.#modification?.lay(arena);
      this.#heads = arena.take(4 * HEADS_FIELDS);
      this.lse = placed ? placed.high : arena.floats(rows);
      this.lseLow = placed ? placed.low : arena.floats(rows);
      this.empty = isForward && program.onEmptyRow !== "zero" ? arena.take(rows) : 0;
      this.delta = isForward ? 0 : arena.floats(rows);
      this.#scratch.address = arena.take(this.#scratch.bytes * threads);
      const [problem, numbers] = [arena.take(PROBLEM_BYTES), arena.floats(H + 6 * B + 3)];
      return { problem, numbers, bias: room(program.bias, 4), allow: room(program.allow, 1) };
    });
    this.#writeHeads(rooms.problem, this.#writeNumbers(rooms.numbers));
    this.#writeProblem(rooms.problem);
    this.#bringMask(PLACE.bias, program.bias, rooms.bias, 4);
    this.#bringMask(PLACE.allow, program.allow, rooms.allow, 1);
  }

  get #integers(): Int32Array {
    return problemWords(this.#workspace.space.memory).integers;
  }

  /** Field after field; operands come with each chunk, masks after this. */
  #writeHeads(problem: number, numbers: readonly number[]): void {
    const { program, layout } = this.#call;
    const { H, Hkv, T, S, D, Dv } = program.shapes;
    const { queries, keys } = layout;
    const example = (rows: RowLayout, width: number) =>
      4 * (rows.starts ? rows.step(width) : rows.start(1, 0, width) - rows.start(0, 0, width));
    const [bands, starts] = [numbers.slice(0, 6), numbers.slice(6)];
    const head = (rows: RowLayout, width: number) => 4 * (rows.start(0, 1, width) - rows.start(0, 0, width));
    const fields = [
      ...[problem, H, Hkv, T, S],
      ...[0, example(queries, D), head(queries, D), 0, example(keys, D), head(keys, D)],
      ...[0, example(keys, Dv), head(keys, Dv), 0, example(queries, Dv), head(queries, Dv)],
      ...[this.lse, this.lseLow, this.empty, ...bands],
      ...[0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, this.delta],
      ...[...starts, queries.starts?.at(-1) ?? 0],
    ];
    this.#integers.set(fields, this.#heads >>> 2);
  }

  #writeProblem(problem: number): void {
    const { program, layout } = this.#call;
    const { D, Dv } = program.shapes;
    const { bias, allow } = program;
    const { memory } = this.#workspace.space;
    clearProblem(memory, problem);
    writeProblem(memory, problem, {
      qRow: layout.queries.step(D),
      kRow: layout.keys.step(D),
      vRow: layout.keys.step(Dv),
      outRow: layout.queries.step(Dv),
      D,
      Dv,
      scale: program.scale,
      softCap: program.softCap ?? 0,
    });
    if (program.dropout) writeProblem(memory, problem, dropoutFields(program));
    if (this.#modification) writeProblem(memory, problem, this.#modification.place());
    if (bias) writeProblem(memory, problem, { biasRow: bias.strides[2], biasKey: bias.strides[3] });
    if (allow) writeProblem(memory, problem, { allowRow: allow.strides[2], allowKey: allow.strides[3] });
  }

  /** Writes sinks, lengths, bands and where packed sequences begin, one after another, and answers their fields. */
  #writeNumbers(address: number): readonly number[] {
    const { program, layout } = this.#call;
    const { B, H } = program.shapes;
    const { sink, offset, left, right, queryLengths, keyLengths } = program;
    const { integers, floats } = problemWords(this.#workspace.space.memory);
    let next = address >>> 2;
    const start = next;
    const perHead = typeof sink === "object";
    if (perHead) for (let h = 0; h < H; h++) floats[next++] = sink.values[h]!;
    else floats[next++] = sink ?? -Infinity;
    const lengths = (given: ArrayLike<number> | undefined) => {
      if (!given) return 0;
      integers.set(given, next);
      next += B;
      return 4 * (next - B);
    };
    const [queries, keys] = [lengths(queryLengths), lengths(keyLengths)];
    const bands = next;
    const perExample = typeof offset !== "number";
    for (let b = 0; b < (perExample ? B : 1); b++) {
      const first = offsetOf(program, b);
      integers[next++] = clampPosition(first - left);
      integers[next++] = clampPosition(first + right);
    }
    const starts = [layout.queries, layout.keys].map((rows) => lengths(rows.starts?.slice(0, B)));
    return [4 * start, perHead ? 4 : 0, queries, keys, 4 * bands, perExample ? 8 : 0, ...starts];
  }

  /** A mask is read where it is, or copied to `room`. */
  #bringMask(place: number, mask: Broadcast<HostArray> | undefined, room: number, bytes: 1 | 4): void {
    if (!mask) return;
    const { array, strides } = mask;
    const { buffer } = this.#workspace.space.memory;
    if (room) {
      new (bytes === 1 ? Uint8Array : Float32Array)(buffer, room, array.values.length).set(array.values);
    }
    const fields = [room || (array as PlacedHostArray).address, bytes * strides[0], bytes * strides[1]];
    this.#integers.set(fields, (this.#heads >>> 2) + place);
  }

  /** Runs the kernel over all groups, a chunk of the operands at a time. */
  run(): void {
    const { program, io } = this.#call;
    const { space } = this.#workspace;
    const { kernel, operands, perPair } = this.#needs;
    const { B, Hkv } = program.shapes;
    const flops = headFlops(program, perPair) / (B * Hkv);
    for (const chunk of io.chunks) {
      io.copyIn(chunk);
      const integers = this.#integers;
      for (const name of operands) integers[(this.#heads >>> 2) + PLACE[name]] = io.address(name, 0, 0);
      const [first, end] = chunk;
      const step =
        space.threads === 1 ? end - first : Math.ceil((end - first) / (CALLS_PER_THREAD * space.threads));
      const calls: KernelCall[] = [];
      for (let g = first; g < end; g += step) calls.push([this.#heads, g, Math.min(end, g + step)]);
      space.run(kernel, calls, flops * (end - first), this.#scratch, this.#modification?.functions);
      io.copyOut(chunk);
    }
  }
}
