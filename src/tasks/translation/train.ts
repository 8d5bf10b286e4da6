import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import { Batches } from "../pair-batches.ts";
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
  const batches = new Batches([corpus.pairs], recipe);
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
