import { checkLengths } from "../core/check-options.ts";
import { OptionError, ShapeError } from "../core/errors.ts";
import { outOfRange, unevenHeads } from "../core/faults.ts";
import type { AttentionShapes } from "../core/notation.ts";
import { checkObject, described } from "./arguments.ts";
import { checkLetters } from "./check.ts";
import { readyBuild } from "./init.ts";
import { CacheMemory, type CacheShapes } from "./wasm/attention/cache.ts";

/** The sizes of a cache; B is 1, Hkv is H and Dv is D unless given. */
export type CacheSizes = Pick<AttentionShapes, "H" | "D"> &
  Partial<Pick<AttentionShapes, "B" | "Hkv" | "Dv">>;

export interface CacheOptions {
  /** Factor of the products q·k, any finite number. @default 1/√D */
  scale?: number;
  /** Tokens of an example that fit, an integer ≥ 1; their memory is taken with the first token. @default as many as memory has room for, 1024 more at a time */
  capacity?: number;
  /** A token sees this many, itself among them; the rows are a ring, so that memory does not grow with the text. @default all */
  window?: number;
}

/** What one kind of call is about: the numbers of each token. */
export interface TokenLengths {
  /** New tokens of each example, those after them are padding; B integers from 0 to T. @default T */
  lengths?: ArrayLike<number>;
}

/** What `attend` gives. */
export interface CacheAttention {
  /** [B, H, T, Dv] */
  output: Float32Array;
  /** [B, H, T], ln Σ e^score */
  lse: Float32Array;
}

/**
 * Keys and values of the tokens so far, in the memory of the kernels, for decoding on typed arrays: a step copies its own
 * token in and its output out, and nothing else.
 *
 *     out[b,h,t] = Σ_j softmax_j(scale · q[b,h,t]·k[b,g,j]) v[b,g,j],    j ≤ n_b − c_b + t,    g = ⌊h·Hkv/H⌋
 *
 * with n_b the tokens of example b so far and c_b how many of the T queries are its own: its last tokens, each of which sees
 * itself and what came before it. With `window` it sees the last `window` of these.
 *
 * Shapes: append k [B, Hkv, T, D] and v [B, Hkv, T, Dv]; attend q [B, H, T, D] → output [B, H, T, Dv], lse [B, H, T]. A padded
 * query gives 0 and lse −∞. What is hidden or not yet written is never read.
 * Cost: 4·H·D flops a key and query, and each key and value is read once a step, by one thread, at the speed of memory. They
 * lie in chunks of 1024 tokens, 4·B·Hkv·(D + Dv) bytes a token, Dv rounded up to a multiple of 4: growing moves nothing, and a cache ends at
 * 4 GiB. Each cache has a memory of its own, which is given back when it is disposed and collected.
 * Conventions: float32 to about 1e-6. The bits do not depend on how tokens came, in a prompt or one by one. `attention` computes
 * a long prompt faster; with a window that is shorter than the prompt it is the only one that can.
 *
 * @throws ShapeError SHAPE, HEADS · OptionError OPTION, DTYPE, CONFLICT, LIMIT, NOT_READY · MemoryError MEMORY
 * @example
 * await init();
 * const cache = new KeyValueCache({ H: 1, D: 1 });
 * cache.append(Float32Array.of(1, 2), Float32Array.of(4, 8)); // two tokens
 * cache.attend(Float32Array.of(0)).output[0]; // 6
 * cache.dispose();
 */
export class KeyValueCache {
  readonly shapes: CacheShapes;
  readonly window: number | undefined;
  readonly #capacity: number | undefined;
  #memory: CacheMemory | undefined;
  /** Tokens of each example. */
  readonly #lengths: Int32Array;

  constructor(sizes: CacheSizes, options: CacheOptions = {}) {
    const op = "KeyValueCache";
    checkObject(op, "sizes", sizes, "name the sizes H and D");
    checkObject(op, "options", options, "pass {}, or leave them out");
    const { B = 1, H, Hkv = H, D, Dv = D } = sizes;
    this.shapes = { B, H, Hkv, D, Dv };
    checkLetters(op, "sizes", this.shapes, ["B", "H", "Hkv", "D", "Dv"], "name the sizes of k and v");
    if (H % Hkv !== 0) throw new ShapeError("HEADS", unevenHeads({ op, H, Hkv }));
    const { scale = 1 / Math.sqrt(D), capacity, window } = options;
    if (!Number.isFinite(scale))
      throw new OptionError(
        "OPTION",
        outOfRange({ op, name: "scale", rule: "a finite number", got: described(scale) }),
      );
    for (const [name, value] of Object.entries({ capacity, window })) {
      if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
      throw new OptionError(
        "OPTION",
        outOfRange({ op, name, rule: "an integer ≥ 1", got: described(value) }),
      );
    }
    this.window = window;
    this.#capacity = capacity;
    this.#lengths = new Int32Array(B);
    const most = Math.min(window ?? Infinity, capacity ?? Infinity);
    this.#memory = new CacheMemory(op, readyBuild(op), this.shapes, scale, most);
  }

  /** Tokens that each example has seen. */
  get lengths(): Int32Array {
    return this.#lengths.slice();
  }

  /** Bytes of memory that the cache has, 0 once it is disposed. */
  get bytes(): number {
    return this.#memory?.bytes ?? 0;
  }

  /**
   * Adds T tokens: k [B, Hkv, T, D] and v [B, Hkv, T, Dv], whose lengths say what T is.
   *
   * @throws OptionError DTYPE, OPTION, LIMIT, NOT_READY · ShapeError SHAPE · MemoryError MEMORY; nothing is added then
   */
  append(k: Float32Array, v: Float32Array, { lengths }: TokenLengths = {}): void {
    const op = "KeyValueCache.append";
    const { B, Hkv, D, Dv } = this.shapes;
    const memory = this.#open(op);
    const T = tokensOf(op, { name: "k", letters: "B·Hkv·T·D", row: B * Hkv * D, array: k });
    const rows = tokensOf(op, { name: "v", letters: "B·Hkv·T·Dv", row: B * Hkv * Dv, array: v });
    if (rows !== T) {
      const rule = `v must have as many tokens as k, T=${T}`;
      throw new ShapeError("SHAPE", {
        op,
        rule,
        got: rows,
        remedy: "give each new token its key and its value",
      });
    }
    const counts = this.#counts(op, T, lengths);
    const [limit, ring] = [this.#capacity ?? Infinity, this.window ?? Infinity];
    const ends = this.#lengths.map((n, b) => n + counts[b]!);
    const longest = ends.reduce((most, n) => Math.max(most, n), 0);
    if (longest > limit) {
      const rule = `an example must end within the capacity of ${limit} tokens`;
      const remedy = "make the cache with a larger capacity, or without one";
      throw new OptionError("LIMIT", { op, rule, got: longest, remedy });
    }
    memory.reserve(op, Math.min(longest, ring));
    for (let b = 0; b < B; b++) {
      const [keys, values] = [part(k, b, B), part(v, b, B)];
      const end = counts[b]!;
      // Of more tokens than a ring has rows the last ones stay.
      for (let t = Math.max(0, end - ring); t < end; ) {
        const row = Number.isFinite(ring) ? (this.#lengths[b]! + t) % ring : this.#lengths[b]! + t;
        const n = Math.min(end - t, ring - row);
        memory.append(b, row, t, n, T, keys, values);
        t += n;
      }
      this.#lengths[b]! = ends[b]!;
    }
    memory.prepare(op, longest);
  }

  /**
   * Attention of the last tokens, whose keys and values are there already: q [B, H, T, D].
   *
   * @throws OptionError DTYPE, OPTION, CONFLICT, NOT_READY · ShapeError SHAPE
   */
  attend(q: Float32Array, { lengths }: TokenLengths = {}): CacheAttention {
    const op = "KeyValueCache.attend";
    const { B, H, D, Dv } = this.shapes;
    const memory = this.#open(op);
    const T = tokensOf(op, { name: "q", letters: "B·H·T·D", row: B * H * D, array: q });
    const counts = this.#counts(op, T, lengths);
    const ring = this.window ?? Infinity;
    for (const [b, n] of this.#lengths.entries()) this.#checkQueries(op, b, counts[b]!, n);
    const output = new Float32Array(B * H * T * Dv);
    const lse = new Float32Array(B * H * T);
    for (let b = 0; b < B; b++) {
      const own = part(lse, b, B);
      if (counts[b]! < T) own.fill(-Infinity);
      memory.attend(
        b,
        Math.min(this.#lengths[b]!, ring),
        counts[b]!,
        T,
        part(q, b, B),
        part(output, b, B),
        own,
      );
    }
    return { output, lse };
  }

  /** Gives the memory back. */
  dispose(): void {
    this.#memory = undefined;
  }

  #open(op: string): CacheMemory {
    if (this.#memory) return this.#memory;
    const rule = "a cache must be used before it is disposed";
    throw new OptionError("NOT_READY", {
      op,
      rule,
      got: "a call after dispose",
      remedy: "make another cache",
    });
  }

  #counts(op: string, T: number, lengths: ArrayLike<number> | undefined): ArrayLike<number> {
    const { B } = this.shapes;
    return lengths ? checkLengths(op, "lengths", lengths, B, T) : new Array<number>(B).fill(T);
  }

  /** Queries are tokens of the cache, and all that they see is still there. */
  #checkQueries(op: string, b: number, count: number, n: number): void {
    if (count > n) {
      const rule = `the queries of example ${b} must be its last tokens, of which it has ${n}`;
      throw new OptionError("CONFLICT", {
        op,
        rule,
        got: count,
        remedy: "append their keys and values first",
      });
    }
    if (this.window === undefined || count <= 1 || n <= this.window) return;
    const rule = `beyond the window of ${this.window} tokens queries must come one by one`;
    const remedy = "append and attend to one token at a time, or use attention with a window for a prompt";
    throw new OptionError("CONFLICT", { op, rule, got: `${count} queries of ${n} tokens`, remedy });
  }
}

/** The numbers of example b. */
function part(x: Float32Array, b: number, B: number): Float32Array {
  const n = x.length / B;
  return B === 1 ? x : x.subarray(b * n, (b + 1) * n);
}

/** How many tokens an array has. */
function tokensOf(
  op: string,
  { name, letters, row, array }: { name: string; letters: string; row: number; array: unknown },
): number {
  if (!(array instanceof Float32Array)) {
    const rule = `${name} must be a Float32Array`;
    throw new OptionError("DTYPE", { op, rule, got: described(array), remedy: "convert it" });
  }
  if (array.length % row === 0) return array.length / row;
  const rule = `${name} must have ${letters} numbers, a multiple of ${row} in this cache`;
  throw new ShapeError("SHAPE", {
    op,
    rule,
    got: array.length,
    remedy: "give all tokens of this call, for a cache of these sizes",
  });
}
