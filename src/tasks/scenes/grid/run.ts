import { availableParallelism } from "node:os";
import { checkUnlocked } from "../../../train/folder-lock.ts";
import { trainLoop } from "../../../train/loop.ts";
import { linearSchedule } from "../../../train/schedule.ts";
import { ShardTraining } from "../../../train/shard-training.ts";
import { ShardPool } from "../../../train/shards.ts";
import { cardData, firstParagraph } from "../../card-data.ts";
import { asShipped, prepareModelFolder } from "../../model-folder.ts";
import type { RunOptions } from "../../run-options.ts";
import { scenePixels, scenesAt } from "../batches.ts";
import { cellLabels } from "../cells.ts";
import { type ItemPool, readItemPools } from "../item-pool.ts";
import { type GridCard, writeGrid } from "./files.ts";
import type { GridRecipe } from "./recipe.ts";
import { GRID_SIZE, SceneGrid } from "./scene-grid.ts";
import { createShard, type GridShard, type ShardBatch, type ShardInit } from "./shard.ts";

export interface GridRun {
  stopped: "done" | "early" | "signal";
  /** Of the finished grid; undefined when the run was stopped by a signal. */
  card?: GridCard;
}

export const OP = "heed train scene-grid";
const CHECKPOINT_SECONDS = 120;
/** Of the scenes of another split, always the same. */
const EVALUATION_SEED = 0;
const BATCH_SCENES = 100;

/** Trains the grid that models of scenes begin with; stopped at any moment, it goes on where it was. */
export async function runSceneGrid(options: RunOptions<GridRecipe>): Promise<GridRun> {
  const { recipe, progress, signal, command, threads = availableParallelism() } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const pools = readItemPools(options.dataDir);
  const labels = pools.train.names;
  const init: ShardInit = { classes: labels.length, seed: recipe.seed };
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, recipe.shards));
  const training = startTraining(recipe, pools.train, pool, pools.checksum);
  const { model } = pool.model as GridShard;
  try {
    const { stopped, best } = await trainLoop({
      ...training.run,
      // In per cent, which is what the progress shows digits for.
      evaluate: () => 100 * evaluateGrid(model, pools.valid, recipe.validationScenes).accuracy,
      evaluateEvery: recipe.evaluateEvery,
      earlyStopping: { patience: recipe.patience },
      checkpoint: { folder: options.runDir, everySeconds: CHECKPOINT_SECONDS },
      ...(progress ? { progress } : {}),
      ...(signal ? { signal } : {}),
    });
    if (stopped === "signal" || !best) return { stopped };
    const grid = new SceneGrid(labels.length, asShipped(best.weights));
    const card: GridCard = {
      name: "scene-grid",
      task: "scene-grid",
      description: "Five convolutions that make 8 × 8 cells of features of a grey picture of 64 × 64 pixels.",
      labels,
      parameters: grid.parameters.size,
      data: cardData(recipe.data, pools.checksum, {
        noticeOf: firstParagraph,
        changesOf: () => "Scenes are composed of resized images; the last twelfth was kept for validation.",
      }),
      training: {
        command,
        recipe,
        steps: best.step,
        epochs: (best.step * recipe.shards * recipe.shardScenes) / recipe.epochScenes,
        hours: training.seconds / 3600,
        validation: { accuracy: best.score / 100 },
      },
      metrics: { split: "test", ...evaluateGrid(grid, pools.test, recipe.testScenes) },
      limits: [
        "Knows grey items on black, 22 to 28 pixels large in a picture of 64; it is a part of other models.",
      ],
    };
    writeGrid(options.outDir, grid, card);
    grid.dispose();
    return { stopped, card };
  } finally {
    await training.close();
    model.dispose();
  }
}

function startTraining(recipe: GridRecipe, items: ItemPool, pool: ShardPool<ShardBatch>, data: string) {
  const {
    seed,
    shards,
    shardScenes,
    epochs,
    epochScenes,
    learningRate: peak,
    warmupSteps,
    clipNorm,
  } = recipe;
  const scenes = shards * shardScenes;
  const steps = Math.ceil((epochs * epochScenes) / scenes);
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
  const learningRate = linearSchedule({ peak, warmupSteps, steps });
  return new ShardTraining({ op: OP, pool, steps, batchAt, learningRate, adam: { clipNorm }, recipe, data });
}

/** How many items of `count` scenes, always the same ones, the cells of a grid name. */
export function evaluateGrid(
  grid: SceneGrid,
  items: ItemPool,
  count: number,
): { scenes: number; items: number; accuracy: number } {
  let [right, all] = [0, 0];
  for (let from = 0; from < count; from += BATCH_SCENES) {
    const scenes = scenesAt(items, EVALUATION_SEED, from, Math.min(BATCH_SCENES, count - from));
    const boxes = scenes.map((scene) => scene.items.map(({ box }) => box));
    for (const [b, named] of grid.name(scenePixels(scenes), boxes).entries())
      for (const [n, label] of named.entries()) {
        all++;
        if (label === scenes[b]!.items[n]!.label) right++;
      }
  }
  return { scenes: count, items: all, accuracy: right / all };
}
