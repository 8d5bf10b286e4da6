import { availableParallelism } from "node:os";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import { checkUnlocked } from "../../train/folder-lock.ts";
import { trainLoop } from "../../train/loop.ts";
import { asShipped, prepareModelFolder } from "../model-folder.ts";
import { loopOptions, type RunOptions } from "../run-options.ts";
import { type DraftCard, draftCard, type TranslationCard } from "./card.ts";
import { type Corpus, readCorpus, readReferenced } from "./corpus.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import type { Recipe } from "./recipe.ts";
import { RecurrentTranslator } from "./recurrent-translator.ts";
import { startTraining } from "./train.ts";

export interface RunResult {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: TranslationCard;
  /** Of the test split, by the finished model. */
  evaluation?: Evaluation;
}

/**
 * How a model decodes, but for its longest source. BLEU of the shipped model on the whole validation split:
 *
 *     beam, α   1, –     3, 1     5, 0     5, 0.6   5, 1     5, 1.4   8, 1
 *     BLEU      42.65    43.99    43.83    44.09    44.28    44.17    44.43 (at twice the time of 5, 1)
 */
const DECODING = { beam: 5, lengthPenalty: 1 };

const OP = "heed train translation";
const VALIDATION_SOURCES = 500;

/** Trains a translation model from a data set to a model folder; stopped at any moment, it goes on where it was. */
export async function runTranslation(options: RunOptions<Recipe>): Promise<RunResult> {
  const { recipe, command } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const corpus = readCorpus(options.dataDir, recipe);
  const { source, target, checksum } = corpus;
  const started = await startTraining(recipe, corpus, options.threads ?? availableParallelism());
  const { training, shard, stepsPerEpoch } = started;
  try {
    const { model } = shard;
    const parameters = model.parameters.size;
    const decoding = { ...DECODING, maxPieces: recipe.maxPieces };
    const card = draftCard({ model: recipe.model, parameters, recipe, checksum, command, decoding });
    const translator = new RecurrentTranslator({ card, model, source, target });
    const sample = corpus.validation.slice(0, VALIDATION_SOURCES);
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      ...training.run,
      evaluate: () => evaluate(translator, sample, { beam: 1 }).bleu,
    });
    if (stopped === "signal" || !best) return { stopped };
    const { step: steps, score } = best;
    const epochs = steps / stepsPerEpoch;
    const hours = training.seconds / 3600;
    Object.assign(card.training, { steps, epochs, hours, validation: { bleu: score } });
    return { stopped, ...finish(new Seq2Seq(model.config, asShipped(best.weights)), corpus, card, options) };
  } finally {
    await training.close();
    shard.model.dispose();
  }
}

/** Scores the finished model on the test split and writes its folder. */
function finish(
  model: Seq2Seq,
  { source, target }: Corpus,
  draft: DraftCard,
  { dataDir, outDir }: RunOptions<Recipe>,
) {
  const translator = new RecurrentTranslator({ card: draft, model, source, target });
  const evaluation = evaluate(translator, readReferenced(dataDir, "test"));
  const { sources, bleu, chrf, signatures } = evaluation;
  const command = `heed evaluate translation --model ${draft.name}`;
  const card = { ...draft, metrics: { split: "test", sources, bleu, chrf, signatures, command } };
  writeModelFolder(outDir, { model, source, target, card });
  translator.dispose();
  return { card, evaluation };
}
