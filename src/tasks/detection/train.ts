import { OptionError } from "../../core/errors.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import { scenePixels, scenesAt } from "../scenes/batches.ts";
import { startGrid } from "../scenes/grid/files.ts";
import type { ItemPools } from "../scenes/item-pool.ts";
import type { DetectionRecipe } from "./recipe.ts";
import { createShard, type DetectionShard, type ShardBatch, type ShardInit } from "./shard.ts";

export const OP = "heed train detection";

export interface DetectionTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly shard: DetectionShard;
  readonly stepsPerEpoch: number;
}

/**
 * The run of a recipe over items: what batch k is, and at which rate it is learnt.
 *
 * @throws OptionError CONFLICT · what `startGrid` throws
 */
export async function startTraining(
  recipe: DetectionRecipe,
  { train: items, checksum }: Pick<ItemPools, "train" | "checksum">,
  threads: number,
): Promise<DetectionTraining> {
  const { seed, shards, shardScenes, trainGrid, learningRate: peak, warmupSteps, clipNorm } = recipe;
  if (recipe.grid === "" && !trainGrid) {
    const fault = { op: OP, rule: "a grid of random numbers must learn", got: "trainGrid: false" };
    throw new OptionError("CONFLICT", { ...fault, remedy: 'set trainGrid, or grid to "scene-grid"' });
  }
  const init: ShardInit = {
    config: recipe.model,
    classes: items.classes.length,
    seed,
    trainGrid,
    ...(recipe.grid !== "" && { grid: startGrid(recipe.grid) }),
  };
  const scenes = shards * shardScenes;
  const stepsPerEpoch = Math.ceil(recipe.epochScenes / scenes);
  const steps = recipe.epochs * stepsPerEpoch;
  const batchAt = (k: number) => {
    const cut = Array.from({ length: shards }, (_, i): ShardBatch => {
      const composed = scenesAt(items, seed, k * scenes + i * shardScenes, shardScenes);
      const objects = composed.map((scene) => scene.items.map(({ label, box }) => ({ label, box })));
      return { pixels: scenePixels(composed), objects, shards };
    });
    return { shards: cut, tokens: scenes };
  };
  const learningRate = linearSchedule({ peak, warmupSteps, steps });
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, shards));
  const data = checksum;
  const adam = { clipNorm };
  const training = new ShardTraining({ op: OP, pool, steps, batchAt, learningRate, adam, recipe, data });
  return { training, shard: pool.model as DetectionShard, stepsPerEpoch };
}
