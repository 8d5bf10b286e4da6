import { availableParallelism } from "node:os";
import { Transformer } from "../../models/transformer/transformer.ts";
import { checkUnlocked } from "../../train/folder-lock.ts";
import { trainLoop } from "../../train/loop.ts";
import { asShipped, prepareModelFolder } from "../model-folder.ts";
import { loopOptions, type RunOptions } from "../run-options.ts";
import { type DraftCard, draftCard, type LanguageModelCard, type Scores } from "./card.ts";
import { bitsPerCharacter } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import { LanguageModel } from "./language-model.ts";
import type { LanguageModelRecipe } from "./recipe.ts";
import { type LanguageModelText, readText } from "./text.ts";
import { startTraining } from "./train.ts";

export interface LanguageModelResult {
  stopped: "done" | "early" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: LanguageModelCard;
}

const OP = "heed train language-model";
const SAMPLE = { characters: 300, temperature: 0.8 };
const SAMPLES = [1, 2, 3].map((seed) => ({ prompt: "\n", seed }));

/** Trains a language model from a text to a model folder; stopped at any moment, it goes on where it was. */
export async function runLanguageModel(
  options: RunOptions<LanguageModelRecipe>,
): Promise<LanguageModelResult> {
  const { recipe, command } = options;
  prepareModelFolder(OP, options.outDir);
  await checkUnlocked(OP, options.runDir);
  const text = readText(options.dataDir, recipe.length);
  const started = await startTraining(recipe, text, options.threads ?? availableParallelism());
  const { training, shard, stepsPerEpoch } = started;
  try {
    const { model } = shard;
    const { stopped, best } = await trainLoop({
      ...loopOptions(options),
      earlyStopping: { patience: recipe.patience, mode: "min" },
      ...training.run,
      evaluate: () => bitsPerCharacter(model, text.splits.valid, { length: recipe.length }).bits,
    });
    if (stopped === "signal" || !best) return { stopped };
    const card = draftCard({ recipe, parameters: model.parameters.size, command, checksum: text.checksum });
    const { step: steps } = best;
    const hours = training.seconds / 3600;
    Object.assign(card.training, { steps, epochs: steps / stepsPerEpoch, hours });
    const finished = new Transformer(model.config, asShipped(best.weights));
    return { stopped, card: finish(finished, text, card, options.outDir) };
  } finally {
    await training.close();
    shard.model.dispose();
  }
}

/** Scores the finished model, lets it write, and writes its folder. */
function finish(
  model: Transformer,
  { characters, splits }: LanguageModelText,
  draft: DraftCard,
  outDir: string,
): LanguageModelCard {
  const length = draft.length;
  const context = Math.floor(length / 2);
  const score = (split: "valid" | "test"): Scores => ({
    ...bitsPerCharacter(model, splits[split], { length, context }),
    context,
  });
  draft.training.validation = score("valid");
  const metrics = { split: "test", ...score("test"), command: "heed evaluate language-model" };
  const writer = new LanguageModel({ card: { ...draft, metrics, samples: [] }, model, characters });
  const samples = SAMPLES.map(({ prompt, seed }) => ({
    prompt,
    text: writer.write(prompt, { ...SAMPLE, seed }),
    temperature: SAMPLE.temperature,
    seed,
  }));
  const card = { ...draft, metrics, samples };
  writeModelFolder(outDir, { model, characters, card });
  writer.dispose();
  return card;
}
