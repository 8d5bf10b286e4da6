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
import { LanguageModel } from "./language-model.ts";
import { type LanguageModelFiles, readModel } from "./read.ts";

export function writeModelFolder(dir: string, { model, characters, card }: LanguageModelFiles): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "transformer" }),
    [VOCABULARY]: `${JSON.stringify({ characters: characters.list })}\n`,
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): LanguageModelFiles {
  return readModel(filesOfFolder(dir));
}

/** The language model that ships with heed. */
export const DEFAULT_LANGUAGE_MODEL = "language-model-shakespeare";

/**
 * Loads a language model of characters.
 *
 * @param place the name of one that ships with heed, or a folder that `heed train language-model` wrote
 * @throws OptionError OPTION · FileError MISSING · DataError DAMAGED, MISMATCH
 * @example
 * const writer = await loadLanguageModel();
 * writer.write("ROMEO:\n", { characters: 10, seed: 4 }).length; // 10
 * writer.dispose();
 */
export async function loadLanguageModel(place: string = DEFAULT_LANGUAGE_MODEL): Promise<LanguageModel> {
  const folder = shippedModel(place, "loadLanguageModel");
  await useHeedBackend();
  return new LanguageModel(readModelFolder(folder));
}
