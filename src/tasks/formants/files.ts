import { GatedBandClassifier, gatedBandParameters } from "../../models/gated/index.ts";
import { bothValues, readBoth } from "../compared-training.ts";
import { CARD, cardFile, isCount, ModelFolder, WEIGHTS, weightsFile, writeFiles } from "../model-folder.ts";
import type { DraftCard, FormantCard } from "./card.ts";
import { VOWELS } from "./vowels.ts";

const OP = "loadVowelClassifier";
/** The most of anything that a card may ask for: it decides how much memory a sound takes. */
const MOST = 4096;
const MOST_RATE = 192_000;

/** A model, its baseline and their card. */
export interface FormantModel<Card extends DraftCard = DraftCard> {
  model: GatedBandClassifier;
  baseline: GatedBandClassifier;
  card: Card;
}

/** Writes a model folder: float16 weights of both, and the card. */
export function writeModelFolder(dir: string, { model, baseline, card }: FormantModel<FormantCard>): void {
  const variables = bothValues(model.parameters.variables, baseline.parameters.variables);
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(variables, { model: "gated-band-classifier" }),
    [CARD]: cardFile(card),
  });
}

/** What hearing reads of a card. */
function checkCard(folder: ModelFolder, { model, training, data }: FormantCard): void {
  const refuse = (got: string) => folder.damaged(CARD, got.slice(0, 200));
  const { bands, taps, narrow, width, heads, classes, gated } = model;
  const areSizes = [bands, taps, narrow, width, heads].every((n) => isCount(n, MOST)) && width % heads === 0;
  if (!areSizes || taps % 2 === 0 || classes !== VOWELS.length || gated !== true)
    throw refuse(`model ${JSON.stringify(model)}`);
  const { format, seed, samples, noises, clips } = training.recipe ?? {};
  const { rate, window, hop, lowest, highest, scale } = format ?? {};
  const isFormat =
    format?.bands === bands &&
    isCount(rate, MOST_RATE) &&
    isCount(window, MOST) &&
    Number.isInteger(Math.log2(window)) &&
    isCount(hop, MOST) &&
    lowest >= 0 &&
    highest > lowest &&
    highest <= rate / 2 &&
    scale > 0;
  const isTest =
    Number.isSafeInteger(seed) && isCount(samples, MOST_RATE) && noises >= 0 && isCount(clips?.test, 2 ** 20);
  if (!isFormat || !isTest) throw refuse(`recipe ${JSON.stringify(training.recipe)}`);
  folder.checkDataName(data);
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): FormantModel<FormantCard> {
  const folder = new ModelFolder(OP, dir, [WEIGHTS, CARD]);
  const card = folder.json<FormantCard>(CARD, ["model", "training", "data"]);
  checkCard(folder, card);
  const without = { ...card.model, gated: false };
  const values = readBoth(folder, gatedBandParameters(card.model), gatedBandParameters(without));
  return {
    model: new GatedBandClassifier(card.model, values.model),
    baseline: new GatedBandClassifier(without, values.baseline),
    card,
  };
}
