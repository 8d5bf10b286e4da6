import { useHeedBackend } from "../../host/select.ts";
import { bothValues } from "../compared-models.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import type { FormantCard } from "./card.ts";
import { VowelClassifier } from "./classifier.ts";
import { type FormantModel, readModel } from "./read.ts";

/** Writes a model folder: float16 weights of both, and the card. */
export function writeModelFolder(dir: string, { model, baseline, card }: FormantModel<FormantCard>): void {
  const variables = bothValues(model.parameters.variables, baseline.parameters.variables);
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(variables, { model: "gated-band-classifier" }),
    [CARD]: cardFile(card),
  });
}

/** The model that ships with heed. */
export const DEFAULT_VOWEL_CLASSIFIER = "formants";

/**
 * Loads a classifier of vowels.
 *
 * @param place the name of one that ships with heed, or a folder
 * @throws OptionError OPTION · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT
 */
export async function loadVowelClassifier(
  place: string = DEFAULT_VOWEL_CLASSIFIER,
): Promise<VowelClassifier> {
  const folder = shippedModel(place, "loadVowelClassifier");
  await useHeedBackend();
  return new VowelClassifier(readModel(filesOfFolder(folder)));
}
