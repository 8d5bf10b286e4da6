import { useHeedBackend } from "../../host/select.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  VOCABULARY,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import type { TranslationCard } from "./card.ts";
import { readModel, type TranslationModel } from "./read.ts";
import { RecurrentTranslator } from "./recurrent-translator.ts";

/** Writes a model folder: float16 weights, both vocabularies, the card. */
export function writeModelFolder(
  dir: string,
  { model, source, target, card }: TranslationModel<TranslationCard>,
): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "seq2seq" }),
    [VOCABULARY]: `${JSON.stringify({ source: source.toJSON(), target: target.toJSON() })}\n`,
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): TranslationModel<TranslationCard> {
  return readModel(filesOfFolder(dir));
}

/**
 * Loads a recurrent translator; `loadTranslator` loads those of every kind.
 *
 * @param place the name of one that ships with heed, such as `translation-en-fr`, or a folder
 * @throws OptionError OPTION · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 */
export async function loadRecurrentTranslator(place: string): Promise<RecurrentTranslator> {
  const folder = shippedModel(place, "loadRecurrentTranslator");
  await useHeedBackend();
  return new RecurrentTranslator(readModelFolder(folder));
}
