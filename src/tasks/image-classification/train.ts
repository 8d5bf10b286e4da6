import { OptionError } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import type { ClassifierConfig } from "./config.ts";
import type { Corpus } from "./corpus.ts";
import type { Recipe } from "./recipe.ts";
import { type ClassifierShard, createShard, type ShardBatch, type ShardInit } from "./shard.ts";

export const OP = "heed train image-classification";

/** Streams from here on belong to epochs. */
const FIRST_STREAM = 2 ** 40;

export interface ClassifierTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly shard: ClassifierShard;
  readonly config: ClassifierConfig;
  readonly stepsPerEpoch: number;
}

/** The model of a recipe for images of this size. @throws OptionError CONFLICT */
export function configOf({ model }: Recipe, { train, classes }: Corpus): ClassifierConfig {
  const { patch, mean, deviation, ...sizes } = model;
  const { height, width } = train;
  if (height % patch !== 0 || width % patch !== 0) {
    const rule = `patches of side ${patch} must fill the images`;
    const remedy = "choose a side that divides both";
    throw new OptionError("CONFLICT", { op: OP, rule, got: `images of ${height} × ${width}`, remedy });
  }
  return { image: { height, width, patch, mean, deviation }, ...sizes, classes: classes.length };
}

/** The run of a recipe over a corpus: what batch k is, and at which rate it is learnt. */
export async function startTraining(
  recipe: Recipe,
  corpus: Corpus,
  threads: number,
): Promise<ClassifierTraining> {
  const config = configOf(recipe, corpus);
  const { seed, smoothing, augmentation, shards, learningRate: peak, warmupSteps, clipNorm } = recipe;
  const batches = new Batches(recipe, corpus);
  const { stepsPerEpoch } = batches;
  const steps = stepsPerEpoch * recipe.epochs;
  const learningRate = linearSchedule({ peak, warmupSteps, steps });
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const init: ShardInit = { config, seed, smoothing, augmentation };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, shards));
  const batchAt = (k: number) => batches.at(k);
  const adam = { clipNorm };
  const data = corpus.checksum;
  const training = new ShardTraining({ op: OP, pool, steps, batchAt, learningRate, adam, recipe, data });
  return { training, shard: pool.model as ClassifierShard, config, stepsPerEpoch };
}

/** The batches of a run by their number: every epoch has its own order, and leaves out what fills no batch. */
class Batches {
  readonly #recipe: Recipe;
  readonly #corpus: Corpus;
  readonly stepsPerEpoch: number;
  #epoch = -1;
  #order = new Int32Array(0);

  /** @throws OptionError CONFLICT */
  constructor(recipe: Recipe, corpus: Corpus) {
    const { shards, shardImages } = recipe;
    const { count } = corpus.train;
    this.#recipe = recipe;
    this.#corpus = corpus;
    this.stepsPerEpoch = Math.floor(count / (shards * shardImages));
    if (this.stepsPerEpoch > 0) return;
    const rule = `there must be images for a batch of ${shards} shards of ${shardImages}`;
    const remedy = "choose a smaller shardImages in the recipe";
    throw new OptionError("CONFLICT", { op: OP, rule, got: count, remedy });
  }

  at(k: number): { shards: ShardBatch[]; tokens: number } {
    const { shards, shardImages, seed } = this.#recipe;
    const order = this.#ofEpoch(Math.floor(k / this.stepsPerEpoch));
    const images = shards * shardImages;
    const first = (k % this.stepsPerEpoch) * images;
    const cut = Array.from({ length: shards }, (_, i) => ({
      ...this.#gather(order.subarray(first + i * shardImages, first + (i + 1) * shardImages)),
      images,
      shardSeed: 2 * (seed * 2 ** 24 + k * shards + i),
    }));
    return { shards: cut, tokens: images };
  }

  #gather(chosen: Int32Array): Pick<ShardBatch, "pixels" | "labels"> {
    const { height, width, pixels, labels } = this.#corpus.train;
    const size = height * width;
    const gathered = new Uint8Array(chosen.length * size);
    for (const [at, n] of chosen.entries())
      gathered.set(pixels.subarray(n * size, (n + 1) * size), at * size);
    return { pixels: gathered, labels: Int32Array.from(chosen, (n) => labels[n]!) };
  }

  #ofEpoch(epoch: number): Int32Array {
    if (epoch !== this.#epoch) {
      const random = new RandomStream(this.#recipe.seed, FIRST_STREAM + epoch);
      this.#order = random.shuffle(Int32Array.from({ length: this.#corpus.train.count }, (_, n) => n));
      this.#epoch = epoch;
    }
    return this.#order;
  }
}
