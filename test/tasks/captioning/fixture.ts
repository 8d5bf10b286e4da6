import * as tf from "@tensorflow/tfjs-core";
import { END } from "../../../src/data/bpe.ts";
import { CaptionModel, tellerConfig } from "../../../src/tasks/captioning/caption-model.ts";
import { draftCard } from "../../../src/tasks/captioning/card.ts";
import { Tally } from "../../../src/tasks/captioning/evaluate.ts";
import { writeModelFolder } from "../../../src/tasks/captioning/files.ts";
import { captionVocabulary } from "../../../src/tasks/captioning/run.ts";
import { type CaptioningRecipe, DEFAULT_CAPTIONING_RECIPE } from "../../../src/tasks/index.ts";

/** A recipe that trains in a few seconds, over the made-up items of scenes, from a grid of random numbers. */
export const TINY_RECIPE: CaptioningRecipe = {
  ...DEFAULT_CAPTIONING_RECIPE,
  data: "tiny",
  start: "",
  grid: "",
  trainGrid: true,
  model: { embedding: 5, decoder: 13, attention: 7, kind: "soft", dropout: 0.1, contextDropout: 0.3 },
  epochs: 2,
  epochScenes: 28,
  shardScenes: 7,
  shards: 1,
  warmupSteps: 2,
  evaluateEvery: 4,
  validationScenes: 5,
  testScenes: 11,
};

/** Writes the folder of a model that has learnt nothing. The backend must be ready. */
export function writeUntrained(folder: string, labels: readonly string[]): void {
  const vocabulary = captionVocabulary(labels);
  const model = new CaptionModel(tellerConfig(TINY_RECIPE.model, vocabulary.size), 5);
  // Or the likeliest caption would be none at all.
  const bias = Float32Array.from({ length: vocabulary.size }, (_, id) => (id === END ? -2 : 0));
  tf.tidy(() => model.variables["output/bias"]!.assign(tf.tensor1d(bias)));
  const draft = draftCard({
    recipe: TINY_RECIPE,
    labels,
    parameters: model.size,
    checksum: "",
    command: "none",
  });
  const metrics = { split: "test", ...new Tally(labels).result(), command: "none" };
  writeModelFolder(folder, { model, vocabulary, card: { ...draft, metrics } });
  model.dispose();
}
