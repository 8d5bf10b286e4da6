import { inverseSqrtSchedule } from "../../../train/schedule.ts";
import { ShardTraining } from "../../../train/shard-training.ts";
import { ShardPool } from "../../../train/shards.ts";
import { WeightAverage } from "../../../train/weight-average.ts";
import { Batches, type PairShard } from "../../pair-batches.ts";
import type { MultilingualCorpus } from "./corpus.ts";
import type { MultilingualRecipe } from "./recipe.ts";
import { createShard, type MultilingualShard, type ShardInit } from "./shard.ts";

export const OP = "heed train translation-multilingual";

export interface MultilingualTraining {
  readonly training: ShardTraining<PairShard>;
  readonly average: WeightAverage;
  readonly shard: MultilingualShard;
  readonly stepsPerEpoch: number;
}

/** The run of a recipe over a corpus; `start` is a seed of the first weights, or the weights. */
export async function startTraining(
  recipe: MultilingualRecipe,
  corpus: MultilingualCorpus,
  { threads, start }: { threads: number; start: ShardInit["start"] },
): Promise<MultilingualTraining> {
  // How long a run is decides no step of it: one that is done goes on when more epochs are asked for.
  const { epochs, ...decisive } = recipe;
  const { model, smoothing, shards, clipNorm, beta2 } = recipe;
  const { pieces, languages, checksum: data } = corpus;
  const outputs = languages.map(({ to }) => pieces.outputs(to));
  const init: ShardInit = { model, vocabulary: pieces.size, outputs, start, smoothing };
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, PairShard>(module, init, Math.min(threads, shards));
  const pairs = languages.map((language) => language.pairs);
  const batches = new Batches(pairs, recipe);
  const { stepsPerEpoch } = batches;
  const rate = inverseSqrtSchedule({ peak: recipe.learningRate, warmupSteps: recipe.warmupSteps });
  const training = new ShardTraining({
    op: OP,
    pool,
    steps: stepsPerEpoch * epochs,
    batchAt: (k) => batches.at(k),
    learningRate: (k) => rate(recipe.startStep + k),
    adam: { clipNorm, beta2 },
    recipe: decisive,
    data,
  });
  const average = new WeightAverage(pool.model.variables, recipe.average);
  return { training, average, shard: pool.model as MultilingualShard, stepsPerEpoch };
}
