import { RandomStream } from "../core/random.ts";
import { makeBatches, type PaddedBatch, padBatch, type TokenPair } from "../data/batching.ts";

/** Streams from here on mix corpora, clear of those of `makeBatches`. */
const FIRST_STREAM = 2 ** 41;

export interface BatchesOptions {
  /** Pieces of both sides, padding included, in one shard of a batch. */
  shardTokens: number;
  shards: number;
  seed: number;
}

/** A piece of a batch, with what ties it to the whole. */
export interface PairShard {
  /** Number of the corpus that its pairs are from. */
  corpus: number;
  source: PaddedBatch;
  target: PaddedBatch;
  /** Target pieces in all shards of the batch: losses are divided by it, so that shards add up. */
  pieces: number;
  /** A number of its own for each shard of each step. */
  dropoutSeed: number;
}

/** Pairs of one corpus, by number. */
interface Chosen {
  corpus: number;
  pairs: Int32Array;
}

/** The batches of a run by their number: in an epoch every pair comes once, and shards of several corpora are mixed. */
export class Batches {
  readonly #corpora: readonly (readonly TokenPair[])[];
  readonly #options: BatchesOptions;
  readonly stepsPerEpoch: number;
  #epoch = -1;
  #chosen: Chosen[] = [];

  constructor(corpora: readonly (readonly TokenPair[])[], options: BatchesOptions) {
    this.#corpora = corpora;
    this.#options = options;
    // Epochs differ by a few batches; the first one's count holds for all, so that a step number names its epoch.
    this.stepsPerEpoch = Math.floor(this.#ofEpoch(0).length / options.shards);
  }

  /** The shards of step k and the target pieces in them: a pure function of k. */
  at(k: number): { shards: PairShard[]; tokens: number } {
    const { shards, seed } = this.#options;
    const epoch = this.#ofEpoch(Math.floor(k / this.stepsPerEpoch));
    const first = (k % this.stepsPerEpoch) * shards;
    const chosen = Array.from({ length: shards }, (_, i) => {
      const { corpus, pairs } = epoch[(first + i) % epoch.length]!;
      return { corpus, rows: Array.from(pairs, (n) => this.#corpora[corpus]![n]!) };
    });
    const pieces = chosen.flatMap(({ rows }) => rows).reduce((sum, { target }) => sum + target.length, 0);
    const cut = chosen.map(({ corpus, rows }, i) => ({
      corpus,
      source: padBatch(rows.map(({ source }) => source)),
      target: padBatch(rows.map(({ target }) => target)),
      pieces,
      dropoutSeed: 2 * (seed * 2 ** 24 + k * shards + i),
    }));
    return { shards: cut, tokens: pieces };
  }

  #ofEpoch(epoch: number): Chosen[] {
    if (epoch === this.#epoch) return this.#chosen;
    const { shardTokens: maxTokens, seed } = this.#options;
    const all = this.#corpora.flatMap((pairs, corpus) =>
      makeBatches(pairs, { maxTokens, seed, epoch }).map((chosen) => ({ corpus, pairs: chosen })),
    );
    const isMixed = this.#corpora.length > 1;
    this.#chosen = isMixed ? new RandomStream(seed, FIRST_STREAM + epoch).shuffle(all) : all;
    this.#epoch = epoch;
    return this.#chosen;
  }
}
