import { useHeedBackend } from "../../host/select.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import type { ClassificationCard } from "./card.ts";
import { ImageClassifier } from "./classifier.ts";
import { type ClassifierModel, readModel } from "./read.ts";

/** Writes a model folder: float16 weights and the card. */
export function writeModelFolder(dir: string, { model, card }: ClassifierModel<ClassificationCard>): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "vit" }),
    [CARD]: cardFile(card),
  });
}

/** The model that ships with heed. */
export const DEFAULT_CLASSIFIER = "image-classification";

/**
 * Loads a classifier of images.
 *
 * @param place the name of one that ships with heed, or a folder
 * @throws OptionError OPTION · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 */
export async function loadClassifier(place: string = DEFAULT_CLASSIFIER): Promise<ImageClassifier> {
  const folder = shippedModel(place, "loadClassifier");
  await useHeedBackend();
  return new ImageClassifier(readModel(filesOfFolder(folder)));
}
