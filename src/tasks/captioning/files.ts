import { DataError } from "../../core/errors.ts";
import type { ShowAttendAndTellConfig } from "../../models/show-attend-and-tell/config.ts";
import {
  CARD,
  cardFile,
  isCount,
  ModelFolder,
  shippedModel,
  VOCABULARY,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import { type WordsJson, WordVocabulary } from "../words.ts";
import { CaptionModel, captionModelSpecs, tellerConfig } from "./caption-model.ts";
import type { CaptioningCard, CaptioningCardTraining, DraftCard } from "./card.ts";

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

/** Writes a model folder: float16 weights, the words, the card. */
export function writeModelFolder(
  dir: string,
  { model, vocabulary, card }: CaptionerModel<CaptioningCard>,
): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.variables, { model: "show-attend-and-tell" }),
    [VOCABULARY]: `${JSON.stringify({ words: vocabulary.toJSON() })}\n`,
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): CaptionerModel<CaptioningCard> {
  const folder = new ModelFolder(OP, dir, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<CaptioningCard>(CARD, ["model", "decoding", "data", "metrics"]);
  checkCard(folder, card);
  const { words } = folder.json<{ words: WordsJson }>(VOCABULARY, ["words"]);
  const vocabulary = WordVocabulary.fromJSON(words);
  const config = tellerConfig(card.model, vocabulary.size);
  const model = new CaptionModel(config, folder.weights(captionModelSpecs(config)));
  return { model, vocabulary, card };
}

const startFolder = (place: string) =>
  new ModelFolder("heed train captioning", shippedModel(place), [WEIGHTS, VOCABULARY, CARD]);

/** How the model was made that another one begins with. @throws FileError MISSING · DataError DAMAGED */
export function trainingOf(place: string): CaptioningCardTraining {
  return startFolder(place).json<CaptioningCard>(CARD, ["training"]).training;
}

/**
 * The values of a trained model for another one to begin with: soft attention and hard have the same.
 *
 * @param place the name of a model that ships with heed, or a folder
 * @throws FileError MISSING · DataError DAMAGED, FORMAT, MISMATCH where the words or sizes are others
 */
export function startValues(
  place: string,
  config: ShowAttendAndTellConfig,
  vocabulary: WordVocabulary,
): Record<string, Float32Array> {
  const folder = startFolder(place);
  const { words } = folder.json<{ words: WordsJson }>(VOCABULARY, ["words"]);
  const own = WordVocabulary.fromJSON(words).toJSON().words.join(", ");
  const expected = vocabulary.toJSON().words.join(", ");
  if (own !== expected) {
    const rule = `a model to begin with must have the words of the data, ${expected}`;
    const fault = { op: "heed train captioning", rule, got: own, remedy: "begin with another one" };
    throw new DataError("MISMATCH", fault);
  }
  return folder.weights(captionModelSpecs(config));
}

function checkCard(folder: ModelFolder, { model, labels, decoding, data }: CaptioningCard): void {
  const refuse = (name: string, got: object) =>
    folder.damaged(CARD, `${name} ${JSON.stringify(got)}`.slice(0, 200));
  const { embedding, decoder, attention } = model;
  if (![embedding, decoder, attention].every((n) => isCount(n, MOST_UNITS))) throw refuse("model", model);
  const { beam, lengthPenalty, maxLength } = decoding;
  const isPenalty = Number.isFinite(lengthPenalty) && lengthPenalty >= 0;
  if (!(isCount(beam, MOST_BEAM) && isCount(maxLength, MOST_WORDS) && isPenalty))
    throw refuse("decoding", decoding);
  if (!(Array.isArray(labels) && labels.every((label) => typeof label === "string")))
    throw refuse("labels", { labels });
  folder.checkDataName(data);
}
