import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import { Batches } from "../pair-batches.ts";
import type { SummarizationCorpus } from "./corpus.ts";
import type { StartModel } from "./files.ts";
import type { SummarizationRecipe } from "./recipe.ts";
import { createShard, type ShardBatch, type ShardInit, type SummarizationShard } from "./shard.ts";

export interface SummarizationTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly shard: SummarizationShard;
  readonly stepsPerEpoch: number;
}

/** The run of a recipe over a corpus: what batch k is, at which rate it is learnt, and whether with coverage. */
export async function startTraining(
  recipe: SummarizationRecipe,
  corpus: SummarizationCorpus,
  threads: number,
  start?: StartModel,
): Promise<SummarizationTraining> {
  const { seed, coverageWeight, coverageFrom, learningRate: peak, warmupSteps, clipNorm } = recipe;
  const init: ShardInit = {
    config: { ...recipe.model, vocabulary: corpus.vocabulary.size },
    seed,
    ...(start && { start: start.values }),
    coverageWeight,
  };
  const batches = new Batches([corpus.pairs], recipe);
  const { stepsPerEpoch } = batches;
  const steps = stepsPerEpoch * recipe.epochs;
  const batchAt = (k: number) => {
    const { shards, tokens } = batches.at(k);
    const coverage = recipe.model.coverage && k >= coverageFrom * steps;
    return { shards: shards.map((shard) => ({ ...shard, coverage })), tokens };
  };
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, recipe.shards));
  const training = new ShardTraining({
    op: "heed train summarization",
    pool,
    steps,
    batchAt,
    learningRate: linearSchedule({ peak, warmupSteps, steps }),
    adam: { clipNorm },
    recipe,
    data: start ? `${corpus.checksum} after ${start.checksum}` : corpus.checksum,
  });
  return { training, shard: pool.model as SummarizationShard, stepsPerEpoch };
}
