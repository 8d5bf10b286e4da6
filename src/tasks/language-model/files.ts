import { fileURLToPath } from "node:url";
import { useHeedBackend } from "../../host/select.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
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
export const DEFAULT_LANGUAGE_MODEL = fileURLToPath(
  new URL("../../../weights/language-model-shakespeare", import.meta.url),
);

/**
 * Reads a folder that `heed train language-model` wrote.
 *
 * @throws FileError MISSING · DataError DAMAGED, MISMATCH
 */
export async function loadLanguageModel(dir: string): Promise<LanguageModel> {
  await useHeedBackend();
  return new LanguageModel(readModelFolder(dir));
}
