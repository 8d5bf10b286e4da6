import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { appendRows } from "../../ops/append-rows.ts";
import { reserveRows } from "../../ops/reserve-rows.ts";
import type { KeysAndValues, Sight } from "./block.ts";
import { CacheGrowth } from "./cache-growth.ts";
import { ringRows, ringSpan } from "./cache-ring.ts";
import type { FullConfig } from "./config.ts";
import type { CacheStep } from "./stack.ts";

export interface CacheOptions {
  /** B, sequences side by side. @default 1 */
  examples?: number;
  /**
   * Tokens of an example that fit; of all its hypotheses where there are several. A model with a window needs the rows of
   * the window alone, however long the text. @default 64, doubled as often as needed: from half full on a few rows move with
   * each step, so that no step has to wait for all of them
   */
  capacity?: number;
}

export interface StepOptions {
  /** New tokens of each example, those after them are padding. @default T */
  lengths?: ArrayLike<number> | undefined;
  /**
   * The new tokens are hypotheses side by side: for each, [B·T], which of the tokens of the step before it goes on from, counted
   * in its example; −1 goes on from all that came before the first such step. @default tokens follow one another
   */
  parents?: ArrayLike<number> | undefined;
}

/**
 * Keys and values of a decoder's earlier tokens, so that a step computes those of its own alone.
 *
 * They lie where the kernels read them, [B, capacity, Hkv, D] in each layer: a step writes its rows and copies nothing, and
 * a row that no token has filled is never read. Hypotheses of a beam are rows of one attention call that see their own
 * ancestors: choosing among them moves no row. With a window the rows are a ring. Examples may have different lengths.
 *
 * Shapes: in each layer two tensors [B, capacity, Hkv, D], and two of the memory [B, S, Hkv, D].
 * Conventions: a cache belongs to one model and to the sequences that it began with; `dispose` frees it. On other backends
 * than `heed` a step copies the cache.
 *
 * @throws OptionError OPTION, LIMIT · ShapeError SHAPE, MISMATCH
 * @example
 * const model = new Transformer(gpt2({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * const cache = new KeyValueCache(model, { capacity: 16 });
 * const token = (id) => ({ tokens: tf.tensor2d([[id]], [1, 1], "int32") });
 * model.decode(token(3), { cache });
 * model.logits(model.decode(token(1), { cache })).shape; // [1, 1, 11]
 * cache.dispose();
 * model.dispose();
 */
export class KeyValueCache {
  readonly config: FullConfig;
  #examples: number;
  readonly #isFixed: boolean;
  #capacity: number;
  #layers: KeysAndValues[] = [];
  #memory: KeysAndValues[] = [];
  #growth: CacheGrowth | undefined;
  #memorySight: Sight = {};
  /** Tokens of each example, hypotheses counted one by one. */
  #rows: Int32Array;
  /** Where the last tokens of each example stand, plus 1. */
  #ends: Int32Array;
  /** Once there are hypotheses: rows that all of an example share, then for each later row the row before it, or −1. */
  #shared: Int32Array | undefined;
  #before: number[][] = [];
  /** The rows of the step before: where the first of each example is. */
  #lastRow: Int32Array;

  constructor(model: { readonly config: FullConfig }, { examples = 1, capacity }: CacheOptions = {}) {
    this.config = model.config;
    const { decoderLayers, window } = this.config;
    const check = (name: string, value: number) => {
      if (Number.isSafeInteger(value) && value >= 1) return;
      const remedy = "choose one in that range or leave it out";
      throw new OptionError("OPTION", {
        op: "KeyValueCache",
        rule: `${name} must be an integer ≥ 1`,
        got: value,
        remedy,
      });
    };
    check("examples", examples);
    if (capacity !== undefined) check("capacity", capacity);
    if (decoderLayers === 0) {
      const remedy = "an encoder reads its whole sequence at once";
      throw new OptionError("CONFLICT", {
        op: "KeyValueCache",
        rule: "the model must have a decoder",
        got: "none",
        remedy,
      });
    }
    this.#examples = examples;
    this.#isFixed = capacity !== undefined || window !== undefined;
    this.#capacity = window ?? capacity ?? 64;
    this.#rows = new Int32Array(examples);
    this.#ends = new Int32Array(examples);
    this.#lastRow = new Int32Array(examples);
  }

  /** B */
  get examples(): number {
    return this.#examples;
  }

  /** Tokens that each example has seen, on the way to one of its hypotheses. */
  get lengths(): Int32Array {
    return this.#ends.slice();
  }

  /** Rows of each layer that are there to be filled. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes of all layers, and of the memory. */
  get bytes(): number {
    const all = [...this.#layers, ...this.#memory];
    return all.reduce((sum, { k, v }) => sum + 4 * (k.size + v.size), this.#growth?.bytes ?? 0);
  }

  /**
   * Room for a step of T tokens an example, and what they see. The step counts once `done` is called.
   *
   * @throws OptionError LIMIT, CONFLICT · ShapeError SHAPE
   */
  step(T: number, { lengths, parents }: StepOptions): CacheStep & { done(): void } {
    const B = this.#examples;
    const { window } = this.config;
    const counts = parents || !lengths ? new Int32Array(B).fill(T) : Int32Array.from(lengths);
    const isFirst = this.#rows.every((n) => n === 0);
    const isRing = window !== undefined;
    if (isRing && (parents || (T > 1 && !isFirst))) {
      throw new OptionError("CONFLICT", {
        op: "KeyValueCache",
        rule: "with a window, tokens after the first step must come one by one and without hypotheses",
        got: parents ? "parents" : `T=${T}`,
        remedy: "give one token an example at each step",
      });
    }
    if (!isRing) this.#reserve(counts);
    const ends = this.#ends;
    const before = parents ? this.#adopt(parents, T) : undefined;
    const each = new Int32Array(B * T);
    for (let b = 0; b < B; b++) for (let t = 0; t < T; t++) each[b * T + t] = ends[b]! + (parents ? 0 : t);
    const isPlain = !parents && ends.every((n) => n === ends[0]);
    const totals = this.#rows.map((n, b) => n + counts[b]!);
    const done = () => {
      this.#lastRow = this.#rows.slice();
      this.#rows = totals;
      this.#ends = ends.map((n, b) => n + (parents ? 1 : counts[b]!));
      if (before) this.#before = before;
      this.#moveSome();
    };
    const common = {
      span: isPlain ? { first: ends[0]! } : { each },
      memorySight: this.#memorySight,
      memory: (layer: number, make: () => KeysAndValues) => this.#ofMemory(layer, make),
      done,
    };
    if (isRing && isFirst) {
      const self = (layer: number, added: KeysAndValues) => this.#beginRing(layer, added, counts);
      const sight: Sight = {
        causal: "bottomRight",
        queryLengths: counts,
        keyLengths: counts,
        window: { left: window - 1 },
      };
      return { ...common, rows: T, sight, self };
    }
    const starts = isRing ? this.#rows.map((n) => n % this.#capacity) : this.#rows.slice();
    const keyLengths = isRing ? totals.map((n) => Math.min(n, this.#capacity)) : totals;
    const keySpan = isRing ? ringSpan(totals, this.#capacity) : before && this.#treeSpan(before);
    const allow = before && this.#ancestors(before, T);
    const sight: Sight = allow
      ? { allow, keyLengths }
      : { keyLengths, ...(T > 1 && { causal: "bottomRight", queryLengths: counts }) };
    const self = (layer: number, added: KeysAndValues) => this.#append(layer, added, starts, counts);
    const isPlace = T === 1 && !allow && counts.every((n) => n === 1) && this.#hasRoom;
    const inPlace = isPlace ? { starts, keyLengths, layers: this.#layers } : undefined;
    return { ...common, rows: this.#capacity, sight, self, inPlace, ...(keySpan && { keySpan }) };
  }

  /** What is seen of the memory, told at the first step. */
  remember(sight: Sight): void {
    this.#memorySight = sight;
  }

  /** Goes on with these examples alone, in this order. */
  keep(examples: readonly number[]): void {
    const B = this.#examples;
    const wrong = examples.find((b) => !(Number.isSafeInteger(b) && b >= 0 && b < B));
    if (wrong !== undefined || examples.length === 0) {
      const rule = `examples must be some of 0 … ${B - 1}`;
      throw new OptionError("OPTION", {
        op: "KeyValueCache.keep",
        rule,
        got: wrong ?? "none",
        remedy: "count from 0",
      });
    }
    const pick = (x: Int32Array) => Int32Array.from(examples, (b) => x[b]!);
    this.#stopGrowing();
    const indices = tf.tensor1d([...examples], "int32");
    const chosen = ({ k, v }: KeysAndValues) => {
      const made = { k: tf.keep(tf.gather(k, indices)), v: tf.keep(tf.gather(v, indices)) };
      tf.dispose([k, v]);
      return made;
    };
    this.#layers = this.#layers.map(chosen);
    this.#memory = this.#memory.map(chosen);
    indices.dispose();
    const { keyLengths } = this.#memorySight;
    if (keyLengths) this.#memorySight = { keyLengths: Int32Array.from(examples, (b) => keyLengths[b]!) };
    this.#rows = pick(this.#rows);
    this.#ends = pick(this.#ends);
    this.#lastRow = pick(this.#lastRow);
    if (this.#shared) this.#shared = pick(this.#shared);
    this.#before = examples.map((b) => this.#before[b] ?? []);
    this.#examples = examples.length;
  }

  dispose(): void {
    for (const { k, v } of [...this.#layers, ...this.#memory]) tf.dispose([k, v]);
    this.#stopGrowing();
    this.#layers = [];
    this.#memory = [];
  }

  /** Whether every layer has the rows of the capacity, none of them elsewhere. */
  get #hasRoom(): boolean {
    const { decoderLayers } = this.config;
    const has = ({ k }: KeysAndValues) => k.shape[1] === this.#capacity;
    return this.#layers.length === decoderLayers && this.#layers.every(has);
  }

  /** Rows that the step needs: there already, or made by doubling. */
  #reserve(counts: Int32Array): void {
    const needed = this.#rows.reduce((most, n, b) => Math.max(most, n + counts[b]!), 0);
    if (needed <= this.#capacity) return;
    if (this.#isFixed) {
      throw new OptionError("LIMIT", {
        op: "KeyValueCache",
        rule: `an example must end within the capacity of ${this.#capacity} rows`,
        got: needed,
        remedy: "make the cache with a larger capacity, or without one",
      });
    }
    while (this.#capacity < needed) this.#capacity *= 2;
    if (this.#growth?.capacity !== this.#capacity) this.#stopGrowing();
    if (this.#layers.length > 0) this.#growth ??= this.#beginGrowing(this.#capacity);
  }

  #beginGrowing(capacity: number): CacheGrowth {
    return new CacheGrowth(this.#layers.length, this.#examples, capacity);
  }

  #stopGrowing(): void {
    this.#growth?.dispose();
    this.#growth = undefined;
  }

  /** From half full on, moves some rows to where there is twice the room. */
  #moveSome(): void {
    if (this.#isFixed || this.#layers.length === 0) return;
    const filled = this.#rows.reduce((most, n) => Math.max(most, n), 0);
    if (2 * filled < this.#capacity) return;
    this.#growth ??= this.#beginGrowing(2 * this.#capacity);
    this.#growth.moveSome(this.#layers, this.#rows, this.#capacity);
  }

  /** A tensor of a layer with new rows; in the first step for which it has no room, the larger one with them. */
  #withRows(
    at: number,
    x: tf.Tensor4D,
    added: tf.Tensor4D,
    starts: Int32Array,
    counts: Int32Array,
  ): tf.Tensor4D {
    if (x.shape[1] === this.#capacity) return tf.keep(appendRows(x, added, starts, counts));
    this.#growth ??= this.#beginGrowing(this.#capacity);
    const next = this.#growth.take(at, x, added, starts, counts);
    if (this.#growth.isTaken) this.#growth = undefined;
    return next;
  }

  #ofLayer(layer: number, { k, v }: KeysAndValues): KeysAndValues {
    const empty = (x: tf.Tensor4D) => tf.keep(reserveRows(x, this.#capacity));
    this.#layers[layer] ??= { k: empty(k), v: empty(v) };
    return this.#layers[layer]!;
  }

  #append(layer: number, added: KeysAndValues, starts: Int32Array, counts: Int32Array): KeysAndValues {
    const { k, v } = this.#ofLayer(layer, added);
    if (added.k.shape[0] !== this.#examples) {
      throw new ShapeError("MISMATCH", {
        op: "KeyValueCache",
        rule: `a step must bring tokens of the cache's ${this.#examples} examples`,
        got: `${added.k.shape[0]}`,
        remedy: "make a cache for these sequences",
      });
    }
    const next = {
      k: this.#withRows(2 * layer, k, added.k, starts, counts),
      v: this.#withRows(2 * layer + 1, v, added.v, starts, counts),
    };
    tf.dispose([k, v]);
    this.#layers[layer] = next;
    return next;
  }

  /** The first tokens of a ring read each other; of them the last ones stay. */
  #beginRing(layer: number, added: KeysAndValues, counts: Int32Array): KeysAndValues {
    const rows = (x: tf.Tensor4D) => ringRows(x, counts, this.#capacity);
    this.#layers[layer] = { k: rows(added.k), v: rows(added.v) };
    return added;
  }

  /** The row before each row, with those of the new tokens. */
  #adopt(parents: ArrayLike<number>, T: number): number[][] {
    const B = this.#examples;
    if (parents.length !== B * T) {
      const rule = `parents must be [B·T] = ${B * T} numbers`;
      throw new ShapeError("SHAPE", {
        op: "KeyValueCache",
        rule,
        got: parents.length,
        remedy: "give one for each token",
      });
    }
    this.#shared ??= this.#rows.slice();
    const shared = this.#shared;
    return Array.from({ length: B }, (_, b) => {
      const before = (this.#before[b] ?? []).slice();
      const last = this.#lastRow[b]! - shared[b]!;
      for (let t = 0; t < T; t++) {
        const parent = parents[b * T + t]!;
        const row = parent < 0 ? -1 : last + parent;
        if (!Number.isSafeInteger(parent) || parent < -1 || row >= this.#rows[b]! - shared[b]!) {
          const rule = "a parent must be −1 or a token of the step before";
          throw new OptionError("OPTION", {
            op: "KeyValueCache",
            rule,
            got: parent,
            remedy: "count in its example",
          });
        }
        before.push(row);
      }
      return before;
    });
  }

  /** Which rows each new token sees: bool [B, 1, T, capacity]. */
  #ancestors(before: number[][], T: number): tf.Tensor4D {
    const [B, S] = [this.#examples, this.#capacity];
    const allow = new Uint8Array(B * T * S);
    for (const [b, rows] of before.entries()) {
      const shared = this.#shared![b]!;
      for (let t = 0; t < T; t++) {
        const line = allow.subarray((b * T + t) * S, (b * T + t + 1) * S).fill(1, 0, shared);
        for (let row = rows.length - T + t; row >= 0; row = rows[row]!) line[shared + row] = 1;
      }
    }
    return tf.tensor4d(allow, [B, 1, T, S], "bool");
  }

  /** Where the rows of hypotheses stand: one after what they go on from. */
  #treeSpan(before: number[][]): { each: Int32Array } {
    const [B, S] = [this.#examples, this.#capacity];
    const each = new Int32Array(B * S);
    for (const [b, rows] of before.entries()) {
      const shared = this.#shared![b]!;
      for (let n = 0; n < shared; n++) each[b * S + n] = n;
      for (const [n, row] of rows.entries())
        each[b * S + shared + n] = row < 0 ? shared : each[b * S + shared + row]! + 1;
    }
    return { each };
  }

  #ofMemory(layer: number, make: () => KeysAndValues): KeysAndValues {
    if (this.#memory[layer]) return this.#memory[layer]!;
    const { k, v } = make();
    this.#memory[layer] = { k: tf.keep(k), v: tf.keep(v) };
    return this.#memory[layer]!;
  }
}
