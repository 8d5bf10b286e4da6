import { availableParallelism } from "node:os";
import { decodeFloat16, encodeFloat16 } from "../../core/float16.ts";
import type { SafetensorsTensor } from "../../core/safetensors.ts";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import { trainLoop } from "../../train/loop.ts";
import type { Progress } from "../../train/progress.ts";
import { draftCard, type TranslationCard } from "./card.ts";
import { type Corpus, readCorpus, readReferenced } from "./corpus.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
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
  /** Shards computed at once; the numbers do not depend on it. */
  threads?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

export interface RunResult {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: TranslationCard;
  /** Of the test split, by the finished model. */
  evaluation?: Evaluation;
}

/** How the shipped model decodes; beam and α were chosen on the validation split. */
export const DECODING = { beam: 5, lengthPenalty: 1, maxPieces: 40 };

const VALIDATION_SOURCES = 500;
const CHECKPOINT_SECONDS = 120;

/** Trains a translation model from a data set to a model folder; stopped at any moment, it goes on where it was. */
export async function runTranslation(options: RunOptions): Promise<RunResult> {
  const { recipe, progress, signal } = options;
  const corpus = readCorpus(options.dataDir, recipe);
  const training = await TranslationTraining.start(recipe, corpus, options.threads ?? availableParallelism());
  const { model } = training.shard;
  const { parameters } = model;
  const { command } = options;
  const draft = draftCard({
    model: recipe.model,
    parameters: parameters.size,
    recipe,
    command,
    decoding: DECODING,
  });
  const { source, target } = corpus;
  const translator = new Translator({ card: draft, model, source, target });
  const sample = corpus.validation.slice(0, VALIDATION_SOURCES);
  const result = await trainLoop({
    steps: training.steps,
    step: (k) => training.step(k),
    snapshot: () => training.snapshot(),
    restore: (content) => training.restore(content),
    weights: () => training.weights(),
    evaluate: (step) => {
      const { bleu, chrf } = evaluate(translator, sample, { beam: 1 });
      progress?.log(`step ${step}: validation BLEU ${bleu.toFixed(2)}, chrF ${chrf.toFixed(2)} (greedy)`);
      return bleu;
    },
    evaluateEvery: recipe.evaluateEvery,
    earlyStopping: { patience: recipe.patience },
    checkpoint: { folder: options.runDir, everySeconds: CHECKPOINT_SECONDS },
    ...(progress ? { progress } : {}),
    ...(signal ? { signal } : {}),
  });
  const { stepsPerEpoch, seconds } = training;
  await training.close();
  if (result.stopped === "signal" || !result.best) return { stopped: result.stopped };
  const { step, score, weights } = result.best;
  const best = new Seq2Seq(model.config, asShipped(weights));
  const made = {
    steps: step,
    epochs: step / stepsPerEpoch,
    hours: seconds / 3600,
    validation: { bleu: score },
  };
  const { card, evaluation } = finish(
    best,
    corpus,
    { ...draft, training: { ...draft.training, ...made } },
    options,
  );
  best.dispose();
  return { stopped: result.stopped, card, evaluation };
}

/** Scores the model on the test split and writes its folder. */
function finish(
  model: Seq2Seq,
  { source, target }: Corpus,
  draft: ReturnType<typeof draftCard>,
  options: RunOptions,
) {
  const evaluation = evaluate(
    new Translator({ card: draft, model, source, target }),
    readReferenced(options.dataDir, "test"),
  );
  const { sources, bleu, chrf, signatures } = evaluation;
  const command = "heed evaluate translation";
  const card: TranslationCard = {
    ...draft,
    metrics: { split: "test", sources, bleu, chrf, signatures, command },
  };
  writeModelFolder(options.outDir, { model, source, target, card });
  return { card, evaluation };
}

/** The values as float16 keeps them, so that the metrics are those of the files that ship. */
function asShipped(tensors: Record<string, SafetensorsTensor>): Record<string, Float32Array> {
  const entries = Object.entries(tensors);
  return Object.fromEntries(
    entries.map(([name, { data }]) => [name, decodeFloat16(encodeFloat16(data as Float32Array))]),
  );
}
