import { makeBatches, padBatch } from "../../data/batching.ts";
import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import type { Corpus } from "./corpus.ts";
import type { Recipe } from "./recipe.ts";
import { createShard, type ShardBatch, type ShardInit, type TranslationShard } from "./shard.ts";

const OP = "heed train translation";

export interface TranslationTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly shard: TranslationShard;
  readonly stepsPerEpoch: number;
}

/** The run of a recipe over a corpus: what batch k is, and at which rate it is learnt. */
export async function startTraining(
  recipe: Recipe,
  corpus: Corpus,
  threads: number,
): Promise<TranslationTraining> {
  const config: Seq2SeqConfig = {
    ...recipe.model,
    sourceVocabulary: corpus.source.size,
    targetVocabulary: corpus.target.size,
  };
  const init: ShardInit = { config, seed: recipe.seed, smoothing: recipe.smoothing };
  const batches = new Batches(recipe, corpus);
  const { stepsPerEpoch } = batches;
  const { learningRate: peak, warmupSteps, clipNorm } = recipe;
  const steps = stepsPerEpoch * recipe.epochs;
  const learningRate = linearSchedule({ peak, warmupSteps, steps });
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, recipe.shards));
  const batchAt = (k: number) => batches.at(k);
  const adam = { clipNorm };
  const data = corpus.checksum;
  const training = new ShardTraining({ op: OP, pool, steps, batchAt, learningRate, adam, recipe, data });
  return { training, shard: pool.model as TranslationShard, stepsPerEpoch };
}

/** The batches of a run by their number. */
class Batches {
  readonly #recipe: Recipe;
  readonly #corpus: Corpus;
  readonly stepsPerEpoch: number;
  #epoch = -1;
  #batches: Int32Array[] = [];

  constructor(recipe: Recipe, corpus: Corpus) {
    this.#recipe = recipe;
    this.#corpus = corpus;
    // Epochs differ by a few batches; the first one's count holds for all, so that a step number names its epoch.
    this.stepsPerEpoch = Math.floor(this.#ofEpoch(0).length / recipe.shards);
  }

  at(k: number): { shards: ShardBatch[]; tokens: number } {
    const { shards, seed } = this.#recipe;
    const { pairs } = this.#corpus;
    const batches = this.#ofEpoch(Math.floor(k / this.stepsPerEpoch));
    const first = (k % this.stepsPerEpoch) * shards;
    const chosen = Array.from({ length: shards }, (_, i) =>
      Array.from(batches[(first + i) % batches.length], (n) => pairs[n]),
    );
    const pieces = chosen.flat().reduce((sum, { target }) => sum + target.length, 0);
    const cut = chosen.map((rows, i) => ({
      source: padBatch(rows.map(({ source }) => source)),
      target: padBatch(rows.map(({ target }) => target)),
      pieces,
      dropoutSeed: 2 * (seed * 2 ** 24 + k * shards + i),
    }));
    return { shards: cut, tokens: pieces };
  }

  #ofEpoch(epoch: number): Int32Array[] {
    if (epoch !== this.#epoch) {
      const { shardTokens, seed } = this.#recipe;
      this.#batches = makeBatches(this.#corpus.pairs, { maxTokens: shardTokens, seed, epoch });
      this.#epoch = epoch;
    }
    return this.#batches;
  }
}
