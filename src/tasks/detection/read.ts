import { CARD, isCount, type ModelFiles, ModelReader, WEIGHTS } from "../model-files.ts";
import type { DetectionCard, DraftCard } from "./card.ts";
import { SceneDetector, sceneDetectorSpecs } from "./scene-detector.ts";

const OP = "loadDetector";
/** The largest size that a card may ask for: it decides how much memory a scene takes. */
const MOST_UNITS = 4096;

/** A model with its card. */
export interface DetectorModel<Card extends DraftCard = DetectionCard> {
  model: SceneDetector;
  card: Card;
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): DetectorModel {
  const folder = new ModelReader(OP, files, [WEIGHTS, CARD]);
  const card = folder.json<DetectionCard>(CARD, ["model", "data"]);
  checkCard(folder, card);
  const { model: config, labels } = card;
  const values = folder.weights(sceneDetectorSpecs(config, labels.length));
  return { model: new SceneDetector(config, labels.length, values), card };
}

const SIZES = ["width", "heads", "inner", "decoderLayers", "queries"] as const;
const COUNTS = ["nonLocal", "encoderLayers"] as const;

/** What detecting reads of a card. */
function checkCard(folder: ModelReader, { model, labels, data }: DetectionCard): void {
  const areSizes =
    SIZES.every((name) => isCount(model[name], MOST_UNITS)) &&
    COUNTS.every((name) => isCount(model[name], MOST_UNITS, 0));
  const areKnown = Object.keys(model).every((name) => ([...SIZES, ...COUNTS] as string[]).includes(name));
  if (!(areKnown && areSizes && model.width % 4 === 0 && model.width % model.heads === 0))
    throw folder.damaged(CARD, `model ${JSON.stringify(model)}`.slice(0, 200));
  const areNames =
    Array.isArray(labels) && labels.length > 0 && labels.every((label) => typeof label === "string");
  if (!areNames || labels.length > MOST_UNITS)
    throw folder.damaged(CARD, `labels ${JSON.stringify(labels)}`.slice(0, 200));
  folder.checkDataName(data);
}
