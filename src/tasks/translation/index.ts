/** Translation with a trained attention model: load one, translate, see what each word looked at, train another. */

export { groupReferences, type Referenced } from "../references.ts";
export type { TranslationCard } from "./card.ts";
export { readReferenced } from "./corpus.ts";
export { type Evaluation, evaluate } from "./evaluate.ts";
export { loadRecurrentTranslator } from "./files.ts";
export { DEFAULT_MODEL, loadTranslator, type Translator } from "./load.ts";
export { loadMultilingualModel } from "./multilingual/files.ts";
export type { MultilingualModel } from "./multilingual/translator.ts";
export { DEFAULT_RECIPE, type Recipe } from "./recipe.ts";
export { RecurrentTranslator } from "./recurrent-translator.ts";
export { type RunResult, runTranslation } from "./run.ts";
export { translationTrace } from "./trace.ts";
export type { TranslateOptions, Translation } from "./translation.ts";
