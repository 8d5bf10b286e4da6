import { filesOfFolder, shippedModel } from "../model-folder.ts";
import { openTranslator, type Translator } from "./open.ts";
import type { TargetLanguage } from "./text/language.ts";

export type { Translator } from "./open.ts";

/** The model that translates where none is named: a Transformer into French, German and Spanish. */
export const DEFAULT_MODEL = "translation-en";

const OP = "loadTranslator";

/**
 * Loads the translator of a folder, recurrent or Transformer; of several languages into the one that is asked for.
 *
 * @param place a folder, or the name of a model that ships with heed: `translation-en`, or `translation-en-fr`, which is recurrent
 * @param to default: the only language of the model, or its first
 * @throws OptionError OPTION for a place that is no string, UNKNOWN · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 * @example
 * const translator = await loadTranslator("translation-en", "de");
 * const [{ target }] = translator.translate(["Where is the station?"]);
 * target; // "Wo ist der Bahnhof?"
 * translator.dispose();
 */
export async function loadTranslator(
  place: string = DEFAULT_MODEL,
  to?: TargetLanguage,
): Promise<Translator> {
  const folder = shippedModel(place, OP);
  return openTranslator(filesOfFolder(folder), to, folder, OP);
}
