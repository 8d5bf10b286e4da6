import { OptionError } from "../../core/errors.ts";
import { useHeedBackend } from "../../host/select.ts";
import { CARD, ModelFolder, shippedModel } from "../model-folder.ts";
import { loadRecurrentTranslator } from "./files.ts";
import { readMultilingualFolder } from "./multilingual/files.ts";
import { MultilingualTranslator } from "./multilingual/translator.ts";
import { isTargetLanguage, type TargetLanguage } from "./text/language.ts";
import type { TranslateOptions, Translation } from "./translation.ts";

/** A translator of one language into another, of whatever kind. */
export interface Translator {
  readonly card: { readonly from: string; readonly to: string };
  /** Name of the data set that its figures are of. */
  readonly dataset: string;
  translate(lines: readonly string[], options?: TranslateOptions): Translation[];
  dispose(): void;
}

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
  const { languages } = new ModelFolder(OP, folder, [CARD]).json<{ languages?: unknown }>(CARD, []);
  if (languages === undefined) {
    const translator = await loadRecurrentTranslator(folder);
    const { card } = translator;
    if (to !== undefined && to !== card.to) throw unknown(folder, [card.to], to);
    return Object.assign(translator, { dataset: card.data.name });
  }
  await useHeedBackend();
  const given = readMultilingualFolder(folder);
  const known = given.card.languages.filter(isTargetLanguage);
  const language = to ?? known[0]!;
  if (!known.includes(language)) {
    given.model.dispose();
    throw unknown(folder, known, language);
  }
  const dataset = `${given.card.training.recipe.data}-${language}`;
  return Object.assign(new MultilingualTranslator(given, language), { dataset });
}

function unknown(folder: string, known: readonly string[], to: string): OptionError<"UNKNOWN"> {
  const rule = `the language must be one that the model of ${folder} translates to, ${known.join(", ")}`;
  const remedy = "choose one of those or another model";
  const got = typeof to === "string" ? to : JSON.stringify(to);
  return new OptionError("UNKNOWN", { op: OP, rule, got, remedy });
}
