import { GatedBandClassifier, gatedBandParameters } from "../../models/gated/index.ts";
import { type ComparedPair, readBoth } from "../compared-models.ts";
import { CARD, isCount, type ModelFiles, ModelReader, WEIGHTS } from "../model-files.ts";
import type { DraftCard, FormantCard } from "./card.ts";
import { VOWELS } from "./vowels.ts";

const OP = "loadVowelClassifier";
/** The most of anything that a card may ask for: it decides how much memory a sound takes. */
const MOST = 4096;
const MOST_RATE = 192_000;

/** A model, its baseline and their card. */
export type FormantModel<Card extends DraftCard = DraftCard> = ComparedPair<GatedBandClassifier, Card>;

/** What hearing reads of a card. */
function checkCard(folder: ModelReader, { model, training, data }: FormantCard): void {
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

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): FormantModel<FormantCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, CARD]);
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
