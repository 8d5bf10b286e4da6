import { fullConfig } from "../../models/transformer/config.ts";
import { transformerParameters } from "../../models/transformer/parameters.ts";
import { Transformer } from "../../models/transformer/transformer.ts";
import { CARD, isCount, type ModelFiles, ModelReader, WEIGHTS } from "../model-files.ts";
import type { ClassificationCard, DraftCard } from "./card.ts";
import { type ClassifierConfig, gridOf, vitConfig } from "./config.ts";

const OP = "loadClassifier";
/** The largest image and width that a card may ask for: they decide how much memory an image takes. */
const MOST_PIXELS = 2 ** 20;
const MOST_UNITS = 4096;

/** A model with its card. */
export interface ClassifierModel<Card extends DraftCard = DraftCard> {
  model: Transformer;
  card: Card;
}

/** What classifying reads of a card. */
function checkCard(folder: ModelReader, { model, labels, data }: ClassificationCard): void {
  const refuse = (got: string) => folder.damaged(CARD, got.slice(0, 200));
  const { image, layers, width, heads, inner, classes, dropout } = model;
  const { height, width: columns, patch, mean, deviation } = image ?? {};
  const sizes = [layers, width, heads, inner, classes, height, columns, patch];
  const isImage =
    height * columns <= MOST_PIXELS &&
    gridOf(image ?? {}).every(Number.isInteger) &&
    Number.isFinite(mean) &&
    deviation > 0;
  const isShare = dropout >= 0 && dropout < 1;
  if (!(sizes.every((n) => isCount(n, MOST_UNITS)) && isImage && isShare && width % heads === 0))
    throw refuse(`model ${JSON.stringify(model)}`);
  const isNames = Array.isArray(labels) && labels.every((label) => typeof label === "string");
  if (!isNames || labels.length !== classes) throw refuse(`labels ${JSON.stringify(labels)}`);
  folder.checkDataName(data);
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): ClassifierModel<ClassificationCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, CARD]);
  const card = folder.json<ClassificationCard>(CARD, ["model", "data"]);
  checkCard(folder, card);
  const config = vitConfig(card.model as ClassifierConfig);
  const values = folder.weights(transformerParameters(fullConfig(config)));
  return { model: new Transformer(config, values), card };
}
