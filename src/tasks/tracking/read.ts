import {
  type TrackerConfig,
  trackerParameters,
} from "../../models/glimpse/hierarchical-attentive-tracker.ts";
import { type Compared, readBoth } from "../compared-models.ts";
import { CARD, isCount, type ModelFiles, ModelReader, WEIGHTS } from "../model-files.ts";
import type { DraftCard, TrackingCard } from "./card.ts";

const OP = "loadTracker";
/** The most of anything that a card may ask for: it decides how much memory a frame takes. */
const MOST = 1024;

/** The values of a tracker and of its baseline without the prior, and their card. */
export interface TrackingModel<Card extends DraftCard = DraftCard> {
  values: Readonly<Record<Compared, Readonly<Record<string, Float32Array>>>>;
  card: Card;
}

/** The configuration of one of the two for frames of a size; what is learnt does not depend on that. */
export function configOf(
  { model }: Pick<DraftCard, "model">,
  which: Compared,
  image: TrackerConfig["image"],
): TrackerConfig {
  return { ...model, image, motion: which === "model" ? "coast" : "stay" };
}

/** What tracking reads of a card. */
function checkCard(folder: ModelReader, { model, data, training }: TrackingCard): void {
  const refuse = (got: string) => folder.damaged(CARD, got.slice(0, 200));
  const { glimpse, context, features, appearance, units, speedFrames = 1 } = model;
  const isSize =
    Array.isArray(glimpse) && glimpse.length === 2 && glimpse.every((side) => isCount(side, MOST));
  const isContext = Number.isFinite(context) && context! > 0 && context! <= MOST;
  if (!isSize || !isContext || ![features, appearance, units, speedFrames].every((n) => isCount(n, MOST)))
    throw refuse(`model ${JSON.stringify(model)}`);
  const { recipe } = training;
  const isTest = isCount(recipe?.distractors, MOST, 0) && isCount(recipe?.testVideos, MOST);
  if (!isTest || !Number.isSafeInteger(recipe?.seed) || recipe.seed < 0)
    throw refuse(`recipe ${JSON.stringify(recipe)}`);
  folder.checkDataName(data);
}

/** Reads the files that `writeModelFolder` wrote. */
export function readModel(files: ModelFiles): TrackingModel<TrackingCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, CARD]);
  const card = folder.json<TrackingCard>(CARD, ["model", "training", "data"]);
  checkCard(folder, card);
  const specs = trackerParameters(configOf(card, "model", [1, 1]));
  return { values: readBoth(folder, specs, specs), card };
}
