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
import { QuestionAnswerer } from "./answerer.ts";
import type { VisualQuestionsCard } from "./card.ts";
import { type QuestionModel, readModel } from "./read.ts";

/** Writes a model folder: float16 weights, the words, the card. */
export function writeModelFolder(
  dir: string,
  { model, vocabulary, card }: QuestionModel<VisualQuestionsCard>,
): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "co-attention" }),
    [VOCABULARY]: `${JSON.stringify({ words: { list: vocabulary } })}\n`,
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): QuestionModel<VisualQuestionsCard> {
  return readModel(filesOfFolder(dir));
}

/** The model that ships with heed. */
export const DEFAULT_ANSWERER = "visual-questions";

/**
 * Loads a model folder, or the model of that name that ships with heed.
 *
 * @throws FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT
 */
export async function loadAnswerer(place: string = DEFAULT_ANSWERER): Promise<QuestionAnswerer> {
  await useHeedBackend();
  return new QuestionAnswerer(readModelFolder(shippedModel(place, "loadAnswerer")));
}
