import { availableParallelism } from "node:os";
import { copyTensors } from "../../train/copy-tensor.ts";
import { checkUnlocked } from "../../train/folder-lock.ts";
import { trainLoop } from "../../train/loop.ts";
import { asShipped, prepareModelFolder } from "../model-folder.ts";
import { loopOptions, type RunOptions } from "../run-options.ts";
import { type ItemPool, readItemPools } from "../scenes/item-pool.ts";
import { type DetectionCard, type DraftCard, draftCard } from "./card.ts";
import { ItemDetector } from "./detector.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import type { DetectionRecipe } from "./recipe.ts";
import { SceneDetector } from "./scene-detector.ts";
import { OP, startTraining } from "./train.ts";

export interface DetectionRun {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: DetectionCard;
  /** Of scenes of test items, by the finished model. */
  evaluation?: Evaluation;
}

/** Trains a detector from a data set of items to a model folder; stopped at any moment, it goes on where it was. */
export async function runDetection(options: RunOptions<DetectionRecipe>): Promise<DetectionRun> {
  const { recipe, command } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const pools = readItemPools(options.dataDir);
  const labels = pools.train.names;
  const started = await startTraining(recipe, pools, options.threads ?? availableParallelism());
  const { training, shard, stepsPerEpoch } = started;
  const { model } = shard;
  try {
    const { checksum } = pools;
    const card = draftCard({ recipe, labels, parameters: model.size, checksum, command });
    const detector = new ItemDetector({ card, model });
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      ...training.run,
      // In per cent, which is what the progress shows digits for.
      evaluate: () => 100 * evaluate(detector, pools.valid, recipe.validationScenes).precision,
    });
    if (stopped === "signal" || !best) return { stopped };
    const { step: steps, score } = best;
    const [epochs, hours] = [steps / stepsPerEpoch, training.seconds / 3600];
    Object.assign(card.training, { steps, epochs, hours, validation: { precision: score / 100 } });
    // A grid that did not learn is not among the weights of the run.
    const values = asShipped({ ...copyTensors(model.grid.variables), ...best.weights });
    const finished = new SceneDetector(recipe.model, labels.length, values);
    return { stopped, ...finish(finished, card, pools.test, options) };
  } finally {
    await training.close();
    model.dispose();
  }
}

/** Scores the finished model on scenes of test items and writes its folder. */
function finish(
  model: SceneDetector,
  draft: DraftCard,
  test: ItemPool,
  { outDir, recipe }: RunOptions<DetectionRecipe>,
) {
  const detector = new ItemDetector({ card: draft, model });
  const evaluation = evaluate(detector, test, recipe.testScenes);
  const { seconds: _, ...scores } = evaluation;
  const metrics = { split: "test", ...scores, command: "heed evaluate detection" };
  const card: DetectionCard = { ...draft, metrics };
  writeModelFolder(outDir, { model, card });
  detector.dispose();
  return { card, evaluation };
}
