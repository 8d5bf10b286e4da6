import { availableParallelism } from "node:os";
import path from "node:path";
import { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import { checkUnlocked } from "../../train/folder-lock.ts";
import { trainLoop } from "../../train/loop.ts";
import { asShipped, prepareModelFolder, shippedModel } from "../model-folder.ts";
import { loopOptions, type RunOptions } from "../run-options.ts";
import { type DraftCard, draftCard, type SummarizationCard } from "./card.ts";
import { readCorpus, readSummaries, type SummarizationCorpus } from "./corpus.ts";
import { bestLengthPenalty } from "./decoding.ts";
import { ablate, type Evaluation, evaluate, scoreSummaries } from "./evaluate.ts";
import { readStart, writeModelFolder } from "./files.ts";
import { bestLead } from "./lead.ts";
import type { SummarizationRecipe } from "./recipe.ts";
import { Summarizer } from "./summarizer.ts";
import { startTraining } from "./train.ts";

export interface SummarizationResult {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: SummarizationCard;
  /** Of the test split, by the finished model. */
  evaluation?: Evaluation;
}

/**
 * How the validation split is summed up while a model learns: with a beam, as the finished one has it, because of two models the one
 * that is better by a beam can be the worse by greedy search. The finished model gets a penalty of its own: `bestLengthPenalty`.
 */
const DECODING = { beam: 4, lengthPenalty: 1.5, blockTrigrams: false };

const OP = "heed train summarization";
const VALIDATION_SOURCES = 500;

/** Trains a pointer-generator from a data set to a model folder; stopped at any moment, it goes on where it was. */
export async function runSummarization(
  options: RunOptions<SummarizationRecipe>,
): Promise<SummarizationResult> {
  const { recipe, command } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const start = recipe.start === "" ? undefined : readStart(shippedModel(recipe.start), recipe.model);
  const corpus = readCorpus(options.dataDir, recipe, start?.vocabulary);
  const { vocabulary, checksum, cut, leftOut } = corpus;
  const started = await startTraining(recipe, corpus, options.threads ?? availableParallelism(), start);
  const { training, shard, stepsPerEpoch } = started;
  try {
    const { model } = shard;
    const sample = corpus.validation.slice(0, VALIDATION_SOURCES);
    const leadWords = bestLead(sample, recipe.maxTarget);
    const { maxSource, maxTarget: maxLength } = recipe;
    const decoding = { ...DECODING, maxSource, maxLength, leadWords };
    const parameters = model.parameters.size;
    const card = draftCard({ recipe, parameters, checksum, command, cut, leftOut, decoding });
    const summarizer = new Summarizer({ card, model, vocabulary });
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      ...training.run,
      evaluate: () => scoreSummaries(summarizer, sample).rougeL,
    });
    if (stopped === "signal" || !best) return { stopped };
    const { step: steps, score: rougeL } = best;
    const [epochs, hours] = [steps / stepsPerEpoch, training.seconds / 3600];
    Object.assign(card.training, { steps, epochs, hours, validation: { rougeL } });
    const finished = new PointerGenerator(model.config, asShipped(best.weights));
    return { stopped, ...finish(finished, corpus, card, options) };
  } finally {
    await training.close();
    shard.model.dispose();
  }
}

/** Scores the finished model on the test split and writes its folder. */
function finish(
  model: PointerGenerator,
  { vocabulary, validation }: SummarizationCorpus,
  draft: DraftCard,
  { dataDir, outDir, recipe }: RunOptions<SummarizationRecipe>,
) {
  const summarizer = new Summarizer({ card: draft, model, vocabulary });
  draft.decoding.lengthPenalty = bestLengthPenalty(summarizer, validation);
  const { leadWords } = draft.decoding;
  const split = readSummaries(dataDir, "test", recipe.kind);
  const evaluation = evaluate(summarizer, split, { leadWords });
  const { seconds: _, ...scores } = evaluation;
  const name = path.basename(outDir);
  const command = `heed evaluate summarization --model ${name}`;
  const card: SummarizationCard = {
    ...draft,
    ...{ name, metrics: { split: "test", ...scores, command }, without: ablate(summarizer, split) },
  };
  writeModelFolder(outDir, { model, vocabulary, card });
  summarizer.dispose();
  return { card, evaluation };
}
