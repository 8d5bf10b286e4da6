import * as tf from "@tensorflow/tfjs-core";
import { appendRows } from "../../ops/append-rows.ts";
import { reserveRows } from "../../ops/reserve-rows.ts";
import type { KeysAndValues } from "./block.ts";

/**
 * The larger rows of a cache that fills up: a few rows of one tensor move with each step, so that no step has to wait for all
 * of them. Tensors are counted through the layers, k before v.
 */
export class CacheGrowth {
  readonly capacity: number;
  readonly #tensors: (tf.Tensor4D | undefined)[];
  /** Of each tensor and example: the first row that is not there yet. */
  readonly #moved: Int32Array[];
  /** Which tensor is next. */
  #turn = 0;
  /** Tensors that the cache has not taken. */
  #left: number;

  constructor(layers: number, examples: number, capacity: number) {
    const count = 2 * layers;
    this.capacity = capacity;
    this.#tensors = new Array(count).fill(undefined);
    this.#moved = Array.from({ length: count }, () => new Int32Array(examples));
    this.#left = count;
  }

  get bytes(): number {
    return this.#tensors.reduce((sum, x) => sum + 4 * (x?.size ?? 0), 0);
  }

  /** Whether the cache has all of it. */
  get isTaken(): boolean {
    return this.#left === 0;
  }

  /** Moves rows of one tensor, so many that all are there when the `room` of the cache is filled with these rows. */
  moveSome(layers: readonly KeysAndValues[], rows: Int32Array, room: number): void {
    const filled = rows.reduce((most, n) => Math.max(most, n), 0);
    const at = this.#turn++ % this.#tensors.length;
    const { k, v } = layers[at >> 1]!;
    const from = at % 2 === 0 ? k : v;
    const before = this.#moved[at]!;
    const visits = Math.max(1, Math.floor((room - filled) / this.#tensors.length));
    const ends = before.map((n, b) => Math.min(rows[b]!, n + Math.ceil((room - n) / visits)));
    const to = this.#tensors[at] ?? reserveRows(from, this.capacity);
    const earlier = { cache: from, moved: before };
    this.#tensors[at] = tf.keep(appendRows(to, from, ends, new Int32Array(ends.length), earlier));
    to.dispose();
    this.#moved[at] = ends;
  }

  /** The larger tensor that stands for x, with all that x has and the new rows. */
  take(at: number, x: tf.Tensor4D, added: tf.Tensor4D, starts: Int32Array, counts: Int32Array): tf.Tensor4D {
    const to = this.#tensors[at] ?? reserveRows(x, this.capacity);
    const next = tf.keep(appendRows(to, added, starts, counts, { cache: x, moved: this.#moved[at]! }));
    to.dispose();
    this.#tensors[at] = undefined;
    this.#left--;
    return next;
  }

  dispose(): void {
    for (const x of this.#tensors) x?.dispose();
  }
}
