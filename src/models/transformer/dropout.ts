import type * as tf from "@tensorflow/tfjs-core";
import { derivedSeed } from "../../core/derived-seed.ts";
import { dropout } from "../../ops/dropout.ts";

/** Marks the seeds of attention's weights among those that a seed stands for. */
const OF_ATTENTION = 5;

/** The dropout of one forward pass: every place has a stream of its own, so that places drop different elements. */
export class Dropout {
  readonly #rate: number;
  readonly #seed: number | undefined;
  #places = 0;

  /** @param seed of this step; undefined drops nothing */
  constructor(rate: number, seed: number | undefined) {
    this.#rate = rate;
    this.#seed = rate > 0 ? seed : undefined;
  }

  /** Whether it drops anything. */
  get isActive(): boolean {
    return this.#seed !== undefined;
  }

  apply<T extends tf.Tensor>(x: T): T {
    if (this.#seed === undefined) return x;
    return dropout(x, this.#rate, { seed: this.#seed, stream: this.#places++ });
  }

  /** Options of one call of `attention`. */
  ofAttention(): { dropout?: { rate: number; seed: number }; training?: boolean } {
    if (this.#seed === undefined) return {};
    const seed = derivedSeed(this.#seed, OF_ATTENTION, this.#places++);
    return { dropout: { rate: this.#rate, seed }, training: true };
  }
}
