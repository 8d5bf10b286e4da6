import * as tf from "@tensorflow/tfjs-core";
import { MovingAverage } from "../../attention/discrete/baseline.ts";
import { padBatch } from "../../data/batching.ts";
import type { CheckpointContent } from "../../train/checkpoint.ts";
import type { TrainLoopOptions } from "../../train/loop.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import { scenePixels, scenesAt } from "../scenes/batches.ts";
import { startGrid } from "../scenes/grid/files.ts";
import type { ItemPool, ItemPools } from "../scenes/item-pool.ts";
import { captionOf } from "../scenes/relations.ts";
import type { WordVocabulary } from "../words.ts";
import { tellerConfig } from "./caption-model.ts";
import { startValues } from "./files.ts";
import type { CaptioningRecipe } from "./recipe.ts";
import { type CaptioningShard, createShard, type ShardBatch, type ShardInit } from "./shard.ts";

export const OP = "heed train captioning";

export interface CaptioningTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly run: Pick<TrainLoopOptions, "steps" | "step" | "snapshot" | "restore" | "weights">;
  readonly shard: CaptioningShard;
}

/** The run of a recipe over scenes of training items: what batch k is, and at which rate it is learnt. */
export async function startTraining(
  recipe: CaptioningRecipe,
  pools: Pick<ItemPools, "train" | "checksum">,
  vocabulary: WordVocabulary,
  threads: number,
): Promise<CaptioningTraining> {
  const { seed, shards, shardScenes, epochs, epochScenes, trainGrid } = recipe;
  const config = tellerConfig(recipe.model, vocabulary.size);
  const start = recipe.start === "" ? undefined : startValues(recipe.start, config, vocabulary);
  const grid = start || recipe.grid === "" ? undefined : startGrid(recipe.grid);
  const { penaltyWeight, rewardWeight, entropyWeight, meanShare } = recipe;
  const weights = { penaltyWeight, rewardWeight, entropyWeight, meanShare };
  const steps = Math.ceil((epochs * epochScenes) / (shards * shardScenes));
  const init: ShardInit = { config, start, grid, trainGrid, seed, weights };
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, shards));
  const batches = new Batches(recipe, pools.train, vocabulary);
  const { learningRate: peak, warmupSteps, clipNorm } = recipe;
  const training = new ShardTraining({
    op: OP,
    pool,
    steps,
    batchAt: (k) => batches.at(k),
    learningRate: linearSchedule({ peak, warmupSteps, steps }),
    adam: { clipNorm },
    recipe,
    data: pools.checksum,
  });
  return { training, run: withRewards(training, batches), shard: pool.model as CaptioningShard };
}

/** The batches of a run by their number. Each has the moving average of the rewards before it, which is state of the run. */
class Batches {
  /** b, which hard attention compares its rewards with. */
  readonly average = new MovingAverage();
  /** Mean words of a caption of the last batch. */
  length = 0;
  readonly #recipe: CaptioningRecipe;
  readonly #items: ItemPool;
  readonly #vocabulary: WordVocabulary;

  constructor(recipe: CaptioningRecipe, items: ItemPool, vocabulary: WordVocabulary) {
    this.#recipe = recipe;
    this.#items = items;
    this.#vocabulary = vocabulary;
  }

  at(k: number): { shards: ShardBatch[]; tokens: number } {
    const { shards, shardScenes, seed } = this.#recipe;
    const count = shards * shardScenes;
    const scenes = scenesAt(this.#items, seed, k * count, count);
    const targets = scenes.map((scene) => this.#vocabulary.target(captionOf(scene), []));
    const pieces = targets.reduce((sum, { length }) => sum + length, 0);
    this.length = pieces / count;
    const cut = Array.from({ length: shards }, (_, i): ShardBatch => {
      const [from, to] = [i * shardScenes, (i + 1) * shardScenes];
      return {
        pixels: scenePixels(scenes.slice(from, to)),
        captions: padBatch(targets.slice(from, to)),
        pieces,
        shardSeed: seed * 2 ** 24 + k * shards + i,
        baseline: this.average.value,
      };
    });
    return { shards: cut, tokens: count };
  }
}

/** The run with its moving average among what is saved and put back: a step reads and changes it. */
function withRewards(training: ShardTraining<ShardBatch>, batches: Batches): CaptioningTraining["run"] {
  const { average } = batches;
  return {
    ...training.run,
    async step(k) {
      const done = await training.step(k);
      // The loss of hard attention is −log p a word; a reward is log p of a whole caption.
      tf.tidy(() => average.update(tf.scalar(-done.loss * batches.length)));
      return done;
    },
    snapshot() {
      const { tensors, state } = training.snapshot();
      return { tensors, state: { ...(state as object), baseline: average.value } };
    },
    restore(content: CheckpointContent) {
      training.restore(content);
      const { baseline } = content.state as { baseline?: unknown };
      average.value = Number.isFinite(baseline) ? (baseline as number) : 0;
    },
  };
}
