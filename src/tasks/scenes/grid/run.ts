import { availableParallelism } from "node:os";
import { checkUnlocked } from "../../../train/folder-lock.ts";
import { trainLoop } from "../../../train/loop.ts";
import { cardData, firstParagraph } from "../../card-data.ts";
import { asShipped, prepareModelFolder } from "../../model-folder.ts";
import { loopOptions, type RunOptions } from "../../run-options.ts";
import { readItemPools } from "../item-pool.ts";
import { evaluateGrid } from "./evaluate.ts";
import { writeGrid } from "./files.ts";
import type { GridCard } from "./read.ts";
import type { GridRecipe } from "./recipe.ts";
import { SceneGrid } from "./scene-grid.ts";
import { OP, startTraining } from "./train.ts";

export interface GridRun {
  stopped: "done" | "early" | "signal";
  /** Of the finished grid; undefined when the run was stopped by a signal. */
  card?: GridCard;
}

/** Trains the grid that models of scenes begin with; stopped at any moment, it goes on where it was. */
export async function runSceneGrid(options: RunOptions<GridRecipe>): Promise<GridRun> {
  const { recipe, command, threads = availableParallelism() } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const pools = readItemPools(options.dataDir);
  const labels = pools.train.names;
  const { training, shard, stepsPerEpoch } = await startTraining(recipe, pools, threads);
  const { model } = shard;
  try {
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      ...training.run,
      // In per cent, which is what the progress shows digits for.
      evaluate: () => 100 * evaluateGrid(model, pools.valid, recipe.validationScenes).accuracy,
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
        epochs: best.step / stepsPerEpoch,
        hours: training.seconds / 3600,
        validation: { accuracy: best.score / 100 },
      },
      metrics: {
        split: "test",
        ...evaluateGrid(grid, pools.test, recipe.testScenes),
        command: "heed evaluate scene-grid",
      },
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
