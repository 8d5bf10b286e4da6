import { availableParallelism } from "node:os";
import { copyTensors } from "../../train/copy-tensor.ts";
import { checkUnlocked } from "../../train/folder-lock.ts";
import { trainLoop } from "../../train/loop.ts";
import { asShipped, prepareModelFolder } from "../model-folder.ts";
import { loopOptions, type RunOptions } from "../run-options.ts";
import { type ItemPool, readItemPools } from "../scenes/item-pool.ts";
import { WordVocabulary } from "../words.ts";
import { CaptionModel } from "./caption-model.ts";
import { Captioner } from "./captioner.ts";
import { type CaptioningCard, type DraftCard, draftCard } from "./card.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { trainingOf, writeModelFolder } from "./files.ts";
import type { CaptioningRecipe } from "./recipe.ts";
import { OP, startTraining } from "./train.ts";

export interface CaptioningRun {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: CaptioningCard;
  /** Of scenes of test items, by the finished model. */
  evaluation?: Evaluation;
}

/** Words of captions that are no names. */
const OTHER_WORDS = ["a", "above", "left", "of"];

/** The words of captions of scenes of these items. */
export function captionVocabulary(names: readonly string[]): WordVocabulary {
  const words = [...OTHER_WORDS, ...names];
  return WordVocabulary.of([words], Number.POSITIVE_INFINITY);
}

/** Trains a model of captions from a data set to a model folder; stopped at any moment, it goes on where it was. */
export async function runCaptioning(options: RunOptions<CaptioningRecipe>): Promise<CaptioningRun> {
  const { recipe, command, threads = availableParallelism() } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const pools = readItemPools(options.dataDir);
  const labels = pools.train.names;
  const vocabulary = captionVocabulary(labels);
  const { training, run, shard } = await startTraining(recipe, pools, vocabulary, threads);
  try {
    const { model } = shard;
    const { checksum } = pools;
    const card = draftCard({ recipe, labels, parameters: model.size, checksum, command });
    if (recipe.start !== "") card.training.before = trainingOf(recipe.start);
    const captioner = new Captioner({ card, model, vocabulary });
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      ...run,
      // In per cent, which is what the progress shows digits for.
      evaluate: () => 100 * evaluate(captioner, pools.valid, recipe.validationScenes, { beam: 1 }).exact,
    });
    if (stopped === "signal" || !best) return { stopped };
    const { step: steps, score } = best;
    Object.assign(card.training, {
      steps,
      epochs: (steps * recipe.shards * recipe.shardScenes) / recipe.epochScenes,
      hours: training.seconds / 3600,
      validation: { exact: score / 100 },
    });
    // A grid that was not trained is as it began, and not among what a run keeps of its best step.
    const values = asShipped({ ...copyTensors(model.variables), ...best.weights });
    const finished = new CaptionModel(model.teller.config, values);
    const scored = finish(new Captioner({ card, model: finished, vocabulary }), pools.test);
    writeModelFolder(options.outDir, { model: finished, vocabulary, card: scored.card });
    finished.dispose();
    return { stopped, ...scored };
  } finally {
    await training.close();
    shard.model.dispose();
  }
}

/** Scores the finished model on scenes of test items. */
function finish(captioner: Captioner, items: ItemPool): { card: CaptioningCard; evaluation: Evaluation } {
  const draft: DraftCard = captioner.card;
  const evaluation = evaluate(captioner, items, draft.training.recipe.testScenes);
  const { seconds: _, ...scores } = evaluation;
  const metrics = { split: "test", ...scores, command: "heed evaluate captioning" };
  return { card: { ...draft, metrics }, evaluation };
}
