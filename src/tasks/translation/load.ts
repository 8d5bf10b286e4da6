import { fileURLToPath } from "node:url";
import { OptionError } from "../../core/errors.ts";
import { useHeedBackend } from "../../host/select.ts";
import { CARD, ModelFolder } from "../model-folder.ts";
import { readMultilingualFolder } from "./multilingual/files.ts";
import { MultilingualTranslator } from "./multilingual/translator.ts";
import { isTargetLanguage, type TargetLanguage } from "./text/language.ts";
import type { TranslateOptions, Translation } from "./translation.ts";
import { DEFAULT_MODEL, loadTranslator } from "./translator.ts";

/** A translator of one language into another, of whatever kind. */
export interface AnyTranslator {
  readonly card: { readonly from: string; readonly to: string };
  /** Name of the data set that its figures are of. */
  readonly dataset: string;
  translate(lines: readonly string[], options?: TranslateOptions): Translation[];
  dispose(): void;
}

/** The folder of the model of several languages. */
export const MULTILINGUAL_MODEL = fileURLToPath(new URL("../../../weights/translation-en", import.meta.url));

const OP = "loadAnyTranslator";

/**
 * Loads the translator of a folder, recurrent or Transformer; of several languages into the one that is asked for.
 *
 * @param dir default: the one that ships with heed for that language
 * @param to default: the only language of the model, or its first
 * @throws OptionError UNKNOWN · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 */
export async function loadAnyTranslator(dir?: string, to?: TargetLanguage): Promise<AnyTranslator> {
  const folder = dir ?? (to === undefined || to === "fr" ? DEFAULT_MODEL : MULTILINGUAL_MODEL);
  const { languages } = new ModelFolder(OP, folder, [CARD]).json<{ languages?: unknown }>(CARD, []);
  if (languages === undefined) {
    const translator = await loadTranslator(folder);
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
  return new OptionError("UNKNOWN", { op: OP, rule, got: to, remedy });
}
