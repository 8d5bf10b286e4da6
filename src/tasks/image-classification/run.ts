import { availableParallelism } from "node:os";
import type { LabelledImages } from "../../data/labelled-images.ts";
import { Transformer } from "../../models/transformer/transformer.ts";
import { checkUnlocked } from "../../train/folder-lock.ts";
import { trainLoop } from "../../train/loop.ts";
import { asShipped, prepareModelFolder } from "../model-folder.ts";
import { loopOptions, type RunOptions } from "../run-options.ts";
import { type ClassificationCard, type DraftCard, draftCard } from "./card.ts";
import { ImageClassifier } from "./classifier.ts";
import { vitConfig } from "./config.ts";
import { readCorpus } from "./corpus.ts";
import { checkImages, type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import type { Recipe } from "./recipe.ts";
import { configOf, OP, startTraining } from "./train.ts";

export interface ClassificationRun {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: ClassificationCard;
  /** Of the test images, by the finished model. */
  evaluation?: Evaluation;
}

/** Trains a classifier from a data set to a model folder; stopped at any moment, it goes on where it was. */
export async function runClassification(options: RunOptions<Recipe>): Promise<ClassificationRun> {
  const { recipe, command } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const corpus = readCorpus(options.dataDir);
  const { classes: labels, checksum, validation, test } = corpus;
  // Before hours of training, not after them.
  for (const part of [validation, test]) checkImages(OP, configOf(recipe, corpus), part);
  const started = await startTraining(recipe, corpus, options.threads ?? availableParallelism());
  const { training, shard, config, stepsPerEpoch } = started;
  try {
    const parameters = shard.model.parameters.size;
    const card = draftCard({ model: config, labels, parameters, recipe, checksum, command });
    const classifier = new ImageClassifier({ card, model: shard.model });
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      ...training.run,
      // In per cent, which is what the progress shows digits for.
      evaluate: () => 100 * evaluate(classifier, validation).accuracy,
    });
    if (stopped === "signal" || !best) return { stopped };
    const { step: steps, score } = best;
    Object.assign(card.training, {
      steps,
      epochs: steps / stepsPerEpoch,
      hours: training.seconds / 3600,
      validation: { accuracy: score / 100 },
    });
    const model = new Transformer(vitConfig(config), asShipped(best.weights));
    return { stopped, ...finish(model, card, test, options.outDir) };
  } finally {
    await training.close();
    shard.model.dispose();
  }
}

/** Scores the finished model on the test images and writes its folder. */
function finish(model: Transformer, draft: DraftCard, test: LabelledImages, outDir: string) {
  const classifier = new ImageClassifier({ card: draft, model });
  const evaluation = evaluate(classifier, test);
  const { images, accuracy, recalls } = evaluation;
  const command = "heed evaluate image-classification";
  const card = { ...draft, metrics: { split: "test", images, accuracy, recalls, command } };
  writeModelFolder(outDir, { model, card });
  classifier.dispose();
  return { card, evaluation };
}
