import { linearSchedule } from "../../../train/schedule.ts";
import { ShardTraining } from "../../../train/shard-training.ts";
import { ShardPool } from "../../../train/shards.ts";
import { scenePixels, scenesAt } from "../batches.ts";
import { cellLabels } from "../cells.ts";
import type { ItemPools } from "../item-pool.ts";
import type { GridRecipe } from "./recipe.ts";
import { GRID_SIZE } from "./scene-grid.ts";
import { createShard, type GridShard, type ShardBatch, type ShardInit } from "./shard.ts";

export const OP = "heed train scene-grid";

export interface GridTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly shard: GridShard;
  readonly stepsPerEpoch: number;
}

/** The run of a recipe over items: what batch k is, and at which rate it is learnt. */
export async function startTraining(
  recipe: GridRecipe,
  { train: items, checksum: data }: Pick<ItemPools, "train" | "checksum">,
  threads: number,
): Promise<GridTraining> {
  const { seed, shards, shardScenes, learningRate: peak, warmupSteps, clipNorm } = recipe;
  const scenes = shards * shardScenes;
  const stepsPerEpoch = Math.ceil(recipe.epochScenes / scenes);
  const steps = recipe.epochs * stepsPerEpoch;
  const [rows, columns] = GRID_SIZE;
  const batchAt = (k: number) => {
    const cut = Array.from({ length: shards }, (_, i): ShardBatch => {
      const composed = scenesAt(items, seed, k * scenes + i * shardScenes, shardScenes);
      const labels = composed.flatMap((scene) => [...cellLabels(scene, GRID_SIZE, items.classes.length)]);
      return {
        pixels: scenePixels(composed),
        labels: Int32Array.from(labels),
        cells: scenes * rows * columns,
      };
    });
    return { shards: cut, tokens: scenes };
  };
  const init: ShardInit = { classes: items.classes.length, seed };
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, shards));
  const learningRate = linearSchedule({ peak, warmupSteps, steps });
  const adam = { clipNorm };
  const training = new ShardTraining({ op: OP, pool, steps, batchAt, learningRate, adam, recipe, data });
  return { training, shard: pool.model as GridShard, stepsPerEpoch };
}
