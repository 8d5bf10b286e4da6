import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { OptionError } from "../../../core/errors.ts";
import { useHeedBackend } from "../../../host/select.ts";
import { Transformer } from "../../../models/transformer/transformer.ts";
import { checkUnlocked } from "../../../train/folder-lock.ts";
import { trainLoop } from "../../../train/loop.ts";
import { asShipped, ModelFolder, prepareModelFolder, VOCABULARY, writeFiles } from "../../model-folder.ts";
import { loopOptions, type RunOptions } from "../../run-options.ts";
import { evaluate } from "../evaluate.ts";
import { draftCard, type MultilingualCard } from "./card.ts";
import { type MultilingualCorpus, readCorpus } from "./corpus.ts";
import { readMultilingualFolder, writeMultilingualFolder } from "./files.ts";
import { type Finished, finishModel } from "./finish.ts";
import { type Lexicon, lexiconFile, readLexicon } from "./lexicon.ts";
import type { ModelSizes, MultilingualRecipe } from "./recipe.ts";
import { OP, startTraining } from "./train.ts";
import { MultilingualTranslator } from "./translator.ts";

export interface MultilingualResult {
  stopped: "done" | "early" | "signal";
  card: MultilingualCard;
  /** Of the finished model; undefined when the run was stopped by a signal. */
  finished?: Finished;
}

const DECODING = { beam: 5, lengthPenalty: 1 };
const VALIDATION_SOURCES = 200;
const CHECKPOINT_SECONDS = 300;

/**
 * Trains one model for all the languages of a recipe; stopped at any moment, it goes on where it was. The lexicon that the
 * run begins with stays beside its checkpoints: what ids mean must not change under the weights. A run that is stopped
 * leaves a model too, of the mean of its weights, without figures.
 */
export async function runMultilingual(options: RunOptions<MultilingualRecipe>): Promise<MultilingualResult> {
  const { recipe, dataDir, runDir, outDir, command, progress } = options;
  prepareModelFolder(OP, outDir);
  await checkUnlocked(OP, runDir);
  await useHeedBackend();
  const start = recipe.start === "" ? undefined : startOf(recipe);
  const corpus = corpusOf(options, start);
  const { pieces, words } = corpus;
  const threads = options.threads ?? availableParallelism();
  const started = await startTraining(recipe, corpus, { threads, start: start?.values ?? recipe.seed });
  const { training, average, shard, stepsPerEpoch } = started;
  const { config, parameters } = shard.model;
  const decoding = { ...DECODING, maxPieces: recipe.maxPieces };
  const alignment = { layer: 0, heads: Array.from({ length: config.heads }, (_, h) => h) };
  const checksums = Object.fromEntries(corpus.languages.map(({ to, checksum }) => [to, checksum]));
  const card = draftCard({ recipe, parameters: parameters.size, checksums, command, decoding, alignment });
  if (start) card.training.before = start.training;
  const made = (weights: Parameters<typeof asShipped>[0]) => {
    const model = new Transformer(config, asShipped(weights));
    return { model, pieces, words, card };
  };
  /** Mean BLEU of the languages, greedy, of the first sources of each validation split. */
  const score = (): number => {
    const given = made(average.weights());
    const scores = corpus.languages.map(({ to, validation }) => {
      const translator = new MultilingualTranslator(given, to);
      return evaluate(translator, validation.slice(0, VALIDATION_SOURCES), { beam: 1 }).bleu;
    });
    given.model.dispose();
    progress?.log(corpus.languages.map(({ to }, i) => `${to} ${scores[i]!.toFixed(1)}`).join(", "));
    return scores.reduce((sum, one) => sum + one, 0) / scores.length;
  };
  try {
    const { stopped, best, step } = await trainLoop({
      ...loopOptions(options),
      checkpoint: { folder: runDir, everySeconds: CHECKPOINT_SECONDS },
      ...average.of(training.run),
      evaluate: score,
    });
    const isWhole = stopped !== "signal" && best !== null;
    const steps = isWhole ? best.step : step;
    const hours = training.seconds / 3600;
    Object.assign(card.training, { steps, epochs: steps / stepsPerEpoch, hours });
    const given = made(isWhole ? best.weights : average.weights());
    const finished = isWhole ? finishModel(given, dataDir) : undefined;
    writeMultilingualFolder(outDir, given);
    given.model.dispose();
    return { stopped, card, ...(finished && { finished }) };
  } finally {
    average.dispose();
    await training.close();
    shard.model.dispose();
  }
}

/** The lexicon and the weights that a run begins with. */
interface Start extends Lexicon {
  values: Record<string, Float32Array>;
  training: MultilingualCard["training"];
}

function startOf({ start, model: sizes }: MultilingualRecipe): Start {
  const { model, pieces, words, card } = readMultilingualFolder(start);
  const { variables } = model.parameters;
  const entries = Object.entries(variables).map(([name, variable]) => {
    return [name, (variable.dataSync() as Float32Array).slice()] as const;
  });
  model.dispose();
  // How much is dropped is the run's to choose.
  const differs = (Object.keys(card.model) as (keyof ModelSizes)[]).find(
    (name) => name !== "dropout" && card.model[name] !== sizes[name],
  );
  if (differs) {
    const rule = `a run must have the sizes of ${start}, which it begins with`;
    const got = `${differs} ${sizes[differs]}, not ${card.model[differs]}`;
    throw new OptionError("MISMATCH", { op: OP, rule, got, remedy: "correct the recipe's model" });
  }
  return { pieces, words, values: Object.fromEntries(entries), training: card.training };
}

function corpusOf(
  { dataDir, runDir, recipe }: RunOptions<MultilingualRecipe>,
  start: Lexicon | undefined,
): MultilingualCorpus {
  if (existsSync(path.join(runDir, VOCABULARY)))
    return readCorpus(dataDir, recipe, readLexicon(new ModelFolder(OP, runDir, [VOCABULARY])));
  const corpus = readCorpus(dataDir, recipe, start);
  writeFiles(runDir, { [VOCABULARY]: lexiconFile(corpus) });
  return corpus;
}
