import { useHeedBackend } from "../../../host/select.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  VOCABULARY,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../../model-folder.ts";
import { lexiconFile } from "./lexicon.ts";
import { readMultilingualModel } from "./read.ts";
import type { MultilingualModel } from "./translator.ts";

/** Writes a model folder: float16 weights, the lexicon, the card. */
export function writeMultilingualFolder(dir: string, { model, card, ...lexicon }: MultilingualModel): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "transformer" }),
    [VOCABULARY]: lexiconFile(lexicon),
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeMultilingualFolder` wrote. The backend must be ready. */
export function readMultilingualFolder(dir: string): MultilingualModel {
  return readMultilingualModel(filesOfFolder(dir));
}

/**
 * The Transformer of a translator with its pieces, for who looks into it or changes what it does: `loadTranslator` is for who
 * translates.
 *
 * @param place the name of a model that ships with heed, or a folder
 * @throws FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 * @example
 * const { model, pieces } = await loadMultilingualModel("translation-en");
 * const { ids } = pieces.encodeSource("I am tired.", "fr");
 * model.encode({ tokens: tf.tensor2d([ids], [1, ids.length], "int32") }).shape; // [1, 5, 256]
 * model.dispose();
 */
export async function loadMultilingualModel(place: string): Promise<MultilingualModel> {
  await useHeedBackend();
  return readMultilingualFolder(shippedModel(place));
}
