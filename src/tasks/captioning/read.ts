import {
  CARD,
  isCount,
  isPenalty,
  type ModelFiles,
  ModelReader,
  VOCABULARY,
  WEIGHTS,
} from "../model-files.ts";
import { readWords, type WordVocabulary } from "../words.ts";
import { CaptionModel, captionModelSpecs, tellerConfig } from "./caption-model.ts";
import type { CaptioningCard, DraftCard } from "./card.ts";

const OP = "loadCaptioner";
/** The most that a card may ask for: widths and beams decide how much memory a picture takes. */
const MOST_UNITS = 4096;
const MOST_BEAM = 64;
const MOST_WORDS = 256;

/** A model and what it needs to write words. */
export interface CaptionerModel<Card extends DraftCard = DraftCard> {
  model: CaptionModel;
  vocabulary: WordVocabulary;
  card: Card;
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): CaptionerModel<CaptioningCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<CaptioningCard>(CARD, ["model", "decoding", "data", "metrics"]);
  checkCard(folder, card);
  const vocabulary = readWords(folder);
  const config = tellerConfig(card.model, vocabulary.size);
  const model = new CaptionModel(config, folder.weights(captionModelSpecs(config)));
  return { model, vocabulary, card };
}

function checkCard(folder: ModelReader, { model, labels, decoding, data }: CaptioningCard): void {
  const refuse = (name: string, got: object) =>
    folder.damaged(CARD, `${name} ${JSON.stringify(got)}`.slice(0, 200));
  const { embedding, decoder, attention } = model;
  if (![embedding, decoder, attention].every((n) => isCount(n, MOST_UNITS))) throw refuse("model", model);
  const { beam, lengthPenalty, maxLength } = decoding;
  if (!(isCount(beam, MOST_BEAM) && isCount(maxLength, MOST_WORDS) && isPenalty(lengthPenalty)))
    throw refuse("decoding", decoding);
  if (!(Array.isArray(labels) && labels.every((label) => typeof label === "string")))
    throw refuse("labels", { labels });
  folder.checkDataName(data);
}
