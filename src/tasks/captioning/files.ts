import { DataError } from "../../core/errors.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { ShowAttendAndTellConfig } from "../../models/show-attend-and-tell/config.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  ModelFolder,
  shippedModel,
  VOCABULARY,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import { readWords, type WordVocabulary, wordsFile } from "../words.ts";
import { captionModelSpecs } from "./caption-model.ts";
import { Captioner } from "./captioner.ts";
import type { CaptioningCard, CaptioningCardTraining } from "./card.ts";
import { type CaptionerModel, readModel } from "./read.ts";

/** Writes a model folder: float16 weights, the words, the card. */
export function writeModelFolder(
  dir: string,
  { model, vocabulary, card }: CaptionerModel<CaptioningCard>,
): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.variables, { model: "show-attend-and-tell" }),
    [VOCABULARY]: wordsFile(vocabulary),
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): CaptionerModel<CaptioningCard> {
  return readModel(filesOfFolder(dir));
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
  const own = readWords(folder).toJSON().words.join(", ");
  const expected = vocabulary.toJSON().words.join(", ");
  if (own !== expected) {
    const rule = `a model to begin with must have the words of the data, ${expected}`;
    const fault = { op: "heed train captioning", rule, got: own, remedy: "begin with another one" };
    throw new DataError("MISMATCH", fault);
  }
  return folder.weights(captionModelSpecs(config));
}

/** The model that ships with heed. */
export const DEFAULT_CAPTIONER = "captioning";

/** Loads a model by the name of one that ships, or from a folder. @throws FileError MISSING, DataError DAMAGED, MISMATCH, FORMAT */
export async function loadCaptioner(place: string = DEFAULT_CAPTIONER): Promise<Captioner> {
  await useHeedBackend();
  return new Captioner(readModelFolder(shippedModel(place, "loadCaptioner")));
}
