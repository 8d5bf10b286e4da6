import { OptionError } from "../../core/errors.ts";
import { useHeedBackend } from "../../host/select.ts";
import { CARD, type ModelFiles, ModelReader } from "../model-files.ts";
import { readMultilingualModel } from "./multilingual/read.ts";
import { MultilingualTranslator } from "./multilingual/translator.ts";
import { readModel } from "./read.ts";
import { RecurrentTranslator } from "./recurrent-translator.ts";
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

/**
 * The translator of files that are in memory, recurrent or Transformer; of several languages into the one that is asked for.
 * In a page `fetchFiles` brings them. Runs on the heed backend, which it selects.
 *
 * @param to default: the only language of the model, or its first
 * @param place what errors call the model
 * @throws OptionError UNKNOWN · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 */
export async function openTranslator(
  files: ModelFiles,
  to?: TargetLanguage,
  place = "these files",
  op = "openTranslator",
): Promise<Translator> {
  const unknown = (known: readonly string[]) => {
    const rule = `the language must be one that the model of ${place} translates to, ${known.join(", ")}`;
    const remedy = "choose one of those or another model";
    const got = typeof to === "string" ? to : JSON.stringify(to);
    return new OptionError("UNKNOWN", { op, rule, got, remedy });
  };
  const { languages } = new ModelReader(op, files, [CARD]).json<{ languages?: unknown }>(CARD, []);
  await useHeedBackend();
  if (languages === undefined) {
    const translator = new RecurrentTranslator(readModel(files));
    const { card } = translator;
    if (to === undefined || to === card.to) return Object.assign(translator, { dataset: card.data.name });
    translator.dispose();
    throw unknown([card.to]);
  }
  const given = readMultilingualModel(files);
  const known = given.card.languages.filter(isTargetLanguage);
  const language = to ?? known[0]!;
  if (!known.includes(language)) {
    given.model.dispose();
    throw unknown(known);
  }
  const dataset = `${given.card.training.recipe.data}-${language}`;
  return Object.assign(new MultilingualTranslator(given, language), { dataset });
}
