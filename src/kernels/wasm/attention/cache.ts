/** The memory of one cache of keys and values, as assembly/attention/cache.ts has it, and the calls of its kernels. */
import { MemoryError } from "../../../core/errors.ts";
import type { AttentionShapes } from "../../../core/notation.ts";
import { Arena, type Overflow } from "../arena.ts";
import type { KernelBuild, KernelExports } from "../load.ts";
import { SerialSpace } from "../space.ts";
import { Struct } from "../struct.ts";
import { roundUp } from "./pass.ts";
import { problemWords } from "./problem.ts";

export type CacheShapes = Pick<AttentionShapes, "B" | "H" | "Hkv" | "D" | "Dv">;

const CACHE = new Struct({
  ...{ first: "i", rows: "i", H: "i", Hkv: "i", D: "i", Dv: "i", scale: "f", hasNonFinite: "i" },
} as const);

/** Tokens of a block of transposed keys. */
const BLOCK = 32;
/** Tokens of a chunk, unless a cache holds fewer: larger ones are no faster. */
const CHUNK_ROWS = 1024;
/** Bytes at the beginning of a chunk, and queries that walk over the chunks together: HEAD and BAND of the kernel. */
const [CHUNK_HEAD, BAND] = [64, 16];
/** What the system hands out at a time. */
const PAGE_BYTES = 4096;
/** Tokens of an example that are copied at a time. */
const STAGED_ROWS = 64;

const FULL: Overflow = {
  rule: "keys and values must fit in a WebAssembly memory of at most 4 GiB",
  remedy: "dispose caches that are done with, or keep fewer tokens with capacity or window",
};

/** Rows [first, end) of every head of [heads, T, width]. */
interface Rows {
  readonly values: Float32Array;
  readonly width: number;
  readonly T: number;
}

/** A memory that grows by whole chunks. What it holds is never moved. */
export class CacheMemory {
  /** Tokens of a chunk. */
  readonly rows: number;
  readonly #shapes: CacheShapes;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: KernelExports;
  readonly #arena: Arena;
  readonly #cache: number;
  readonly #scratch: number;
  /** Where the numbers of a call are copied to and from. */
  readonly #staged: number;
  readonly #chunkBytes: number;
  readonly #most: number;
  readonly #chunks: number[] = [];

  /**
   * @param most tokens of an example, where that is known
   * @throws MemoryError MEMORY
   */
  constructor(op: string, build: KernelBuild, shapes: CacheShapes, scale: number, most = Infinity) {
    const { B, H, Hkv, D, Dv } = shapes;
    this.#shapes = shapes;
    this.#most = most;
    this.rows = Math.min(CHUNK_ROWS, roundUp(most, BLOCK));
    const { memory, kernels } = this.#start(op, build);
    this.#memory = memory;
    this.#kernels = kernels;
    this.#arena = new Arena(memory);
    this.#cache = this.#arena.take(CACHE.bytes);
    CACHE.write(memory.buffer, this.#cache, { rows: this.rows, H, Hkv, D, Dv, scale });
    const wide = roundUp(Dv, 4);
    this.#chunkBytes = CHUNK_HEAD + 4 * B * Hkv * this.rows * (D + wide);
    this.#scratch = this.#arena.floats(this.rows + 9 + BAND * (D + wide + 2));
    this.#staged = this.#arena.floats(STAGED_ROWS * Math.max(Hkv * (D + Dv), H * (D + Dv + 1)));
    this.#arena.reserve(op, FULL);
  }

  #start(op: string, build: KernelBuild): SerialSpace {
    try {
      return SerialSpace.create(build);
    } catch (cause) {
      throw new MemoryError("MEMORY", { op, ...FULL, got: "no memory at all" }, { cause });
    }
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Room for so many tokens of every example; for all of them at once where it is known how many there can be.
   *
   * @throws MemoryError MEMORY
   */
  reserve(op: string, tokens: number): void {
    const isKnown = Number.isFinite(this.#most);
    while (this.#chunks.length * this.rows < (isKnown ? this.#most : tokens)) {
      const chunk = this.#arena.take(this.#chunkBytes);
      try {
        this.#arena.reserve(op, FULL);
      } catch (error) {
        this.#arena.giveBack(chunk);
        throw error;
      }
      // A chunk begins with the address of the next one, and the cache with that of the first.
      problemWords(this.#memory).integers[(this.#chunks.at(-1) ?? this.#cache) >>> 2] = chunk;
      this.#chunks.push(chunk);
      if (isKnown || this.#chunks.length === 1) this.#touch(chunk, 0, this.#chunkBytes);
    }
  }

  /**
   * Makes the chunk after the one that fills up and touches a share of it, from the middle on: the system hands out a page when
   * it is written for the first time, which takes longer than to write a token, and no step should wait for many.
   */
  prepare(op: string, filled: number): void {
    const [half, inChunk] = [this.rows / 2, filled % this.rows];
    const next = filled - inChunk + this.rows;
    if (inChunk < half || next >= this.#most) return;
    try {
      this.reserve(op, next + 1);
    } catch (error) {
      // Whoever needs it is told.
      if (error instanceof MemoryError) return;
      throw error;
    }
    const share = this.#chunkBytes / half;
    this.#touch(this.#chunks.at(-1)!, (inChunk - half) * share, (inChunk - half + 1) * share);
  }

  /** Writes to each page of a new chunk between these bytes; what it holds is 0 still. */
  #touch(chunk: number, from: number, end: number): void {
    const { integers } = problemWords(this.#memory);
    for (let at = roundUp(from, PAGE_BYTES); at < end; at += PAGE_BYTES) integers[(chunk + at) >>> 2] = 0;
  }

  /** Writes tokens [t, t + count) of k [Hkv, T, D] and v [Hkv, T, Dv] to rows `row` and on of example b, which are there. */
  append(
    b: number,
    row: number,
    t: number,
    count: number,
    T: number,
    k: Float32Array,
    v: Float32Array,
  ): void {
    const { Hkv, D, Dv } = this.#shapes;
    for (let done = 0; done < count; ) {
      const inChunk = (row + done) % this.rows;
      const n = Math.min(count - done, STAGED_ROWS, this.rows - inChunk);
      const values = this.#staged + 4 * Hkv * n * D;
      this.#copyIn({ values: k, width: D, T }, t + done, n, this.#staged);
      this.#copyIn({ values: v, width: Dv, T }, t + done, n, values);
      const chunk = this.#chunks[Math.floor((row + done) / this.rows)]!;
      this.#kernels.cacheAppend!(
        this.#cache,
        chunk,
        b,
        inChunk,
        n,
        this.#staged,
        4 * n * D,
        values,
        4 * n * Dv,
      );
      done += n;
    }
  }

  /**
   * Attention of the first `count` queries of q [H, T, D] of example b, the last of which sees `seen` rows and each one row
   * less than the next, to out [H, T, Dv] and lse [H, T].
   */
  attend(
    b: number,
    seen: number,
    count: number,
    T: number,
    q: Float32Array,
    out: Float32Array,
    lse: Float32Array,
  ) {
    const { H, D, Dv } = this.#shapes;
    for (let done = 0; done < count; ) {
      const n = Math.min(count - done, STAGED_ROWS);
      const [output, sums] = [this.#staged + 4 * H * n * D, this.#staged + 4 * H * n * (D + Dv)];
      this.#copyIn({ values: q, width: D, T }, done, n, this.#staged);
      const last = seen - count + done + n;
      this.#kernels.cacheAttend!(this.#cache, b, last, n, this.#staged, output, sums, this.#scratch);
      this.#copyOut({ values: out, width: Dv, T }, done, n, output);
      this.#copyOut({ values: lse, width: 1, T }, done, n, sums);
      done += n;
    }
  }

  #copyIn(rows: Rows, first: number, n: number, address: number): void {
    const { floats } = problemWords(this.#memory);
    eachRun(rows, first, n, address >>> 2, (run, at) => floats.set(run, at));
  }

  #copyOut(rows: Rows, first: number, n: number, address: number): void {
    const { floats } = problemWords(this.#memory);
    eachRun(rows, first, n, address >>> 2, (run, at) => run.set(floats.subarray(at, at + run.length)));
  }
}

/** Rows [first, first + n) of each head as runs of numbers, and where each begins among `n` rows a head: one run where all are meant. */
function eachRun(
  { values, width, T }: Rows,
  first: number,
  n: number,
  start: number,
  visit: (run: Float32Array, at: number) => void,
): void {
  if (n === T) {
    visit(values, start);
    return;
  }
  const heads = values.length / (T * width);
  for (let h = 0; h < heads; h++) {
    const from = (h * T + first) * width;
    visit(values.subarray(from, from + n * width), start + h * n * width);
  }
}
