import * as tf from "@tensorflow/tfjs-core";
import type { AttentionShapes } from "../../../core/notation.ts";
import { sumToShape } from "../weights-gradients.ts";
import { type ChunkSizes, cut, type Range } from "./program.ts";

/** The gradient of a bias [T, S] or [B, H, T, S], chunk by chunk; a length of 1 was repeated, and is summed over. */
export class BiasGradient {
  readonly #shape: readonly number[];
  readonly #chunks: { readonly queries: readonly Range[]; readonly keys: readonly Range[] };
  /** Of each chunk of queries the chunks of keys. */
  readonly #parts: tf.Tensor[][];

  constructor(shape: readonly number[], { T, S }: AttentionShapes, sizes: ChunkSizes) {
    this.#shape = shape;
    const ranges = (length: number, n: number, size: number) => (length === 1 ? cut(1, 1) : cut(n, size));
    this.#chunks = {
      queries: ranges(shape.at(-2)!, T, sizes.queryChunkSize),
      keys: ranges(shape.at(-1)!, S, sizes.keyChunkSize),
    };
    this.#parts = this.#chunks.queries.map(([i0, i1]) =>
      this.#chunks.keys.map(([j0, j1]) => tf.zeros([...shape.slice(0, -2), i1 - i0, j1 - j0])),
    );
  }

  /** Adds the gradient of the scores of a chunk, [B, H, queries, keys]. */
  add({ queries, keys }: { readonly queries: Range; readonly keys: Range }, dscores: tf.Tensor): void {
    const at = (ranges: readonly Range[], [first]: Range) =>
      Math.max(
        0,
        ranges.findIndex((range) => range[0] === first),
      );
    const row = this.#parts[at(this.#chunks.queries, queries)]!;
    const n = at(this.#chunks.keys, keys);
    const before = row[n]!;
    row[n] = tf.tidy(() => tf.add(before, sumToShape(dscores, before.shape)));
    before.dispose();
  }

  /** The whole, after which nothing is left here. */
  take(): tf.Tensor {
    const rank = this.#shape.length;
    return tf.tidy(() => {
      const rows = this.#parts.map((row) => tf.concat(row, rank - 1));
      tf.dispose(this.#parts);
      return tf.concat(rows, rank - 2);
    });
  }
}
