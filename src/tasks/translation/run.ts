import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import type { SafetensorsTensor } from "../../core/safetensors.ts";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import { trainLoop } from "../../train/loop.ts";
import type { Progress } from "../../train/progress.ts";
import type { TranslationCard } from "./card.ts";
import { readCorpus, readReferenced } from "./corpus.ts";
import { evaluate } from "./evaluate.ts";
import { copyParameters, writeModelFolder } from "./files.ts";
import type { Recipe } from "./recipe.ts";
import { TranslationTraining } from "./train.ts";
import { Translator } from "./translator.ts";

export interface RunOptions {
  recipe: Recipe;
  /** Folder with train.tsv.gz, valid.tsv.gz and test.tsv.gz. */
  dataDir: string;
  /** Folder of the checkpoints; a run goes on from the newest one in it. */
  runDir: string;
  /** Folder that gets the finished model. */
  outDir: string;
  /** The command that was typed, for the card. */
  command: string;
  threads?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

export interface RunResult {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: TranslationCard;
}

/** How the shipped model decodes. Chosen on the validation split. */
export const DECODING = { beam: 5, lengthPenalty: 1, maxPieces: 40 };

const VALIDATION_SOURCES = 500;
const CHECKPOINT_SECONDS = 120;

/** Trains a translation model from a data set to a model folder; stopped at any moment, it goes on where it was. */
export async function runTranslation(options: RunOptions): Promise<RunResult> {
  const { recipe, progress, signal } = options;
  mkdirSync(options.runDir, { recursive: true });
  const corpus = readCorpus(options.dataDir, recipe);
  const training = await TranslationTraining.start(recipe, corpus, options.threads ?? availableParallelism());
  const { model } = training.shard;
  const draft = draftCard(training, options.command);
  const sample = corpus.validation.slice(0, VALIDATION_SOURCES);
  const translator = (of: Seq2Seq) =>
    new Translator({ card: draft, model: of, source: corpus.source, target: corpus.target });
  const begun = Date.now();
  const result = await trainLoop({
    steps: training.steps,
    step: (k) => training.step(k),
    snapshot: () => training.snapshot(),
    restore: (content) => training.restore(content),
    weights: () => training.weights(),
    evaluate: (step) => {
      const { bleu, chrf } = evaluate(translator(model), sample, { beam: 1 });
      progress?.log(`step ${step}: validation BLEU ${bleu.toFixed(2)}, chrF ${chrf.toFixed(2)} (greedy)`);
      return bleu;
    },
    evaluateEvery: recipe.evaluateEvery,
    earlyStopping: { patience: recipe.patience },
    checkpoint: { folder: options.runDir, everySeconds: CHECKPOINT_SECONDS },
    ...(progress ? { progress } : {}),
    ...(signal ? { signal } : {}),
  });
  if (result.stopped === "signal" || !result.best) {
    await training.close();
    return { stopped: result.stopped };
  }
  const best = new Seq2Seq(model.config, float32Values(result.best.weights));
  const hours = (Date.now() - begun) / 3.6e6;
  const card = finishCard(draft, translator(best), options, { step: result.best.step, hours, bleu: result.best.score });
  writeModelFolder(options.outDir, { model: best, source: corpus.source, target: corpus.target, card });
  best.dispose();
  await training.close();
  return { stopped: result.stopped, card };
}
