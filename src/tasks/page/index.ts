/** What of `heed/tasks` runs in a page, where a model's files are fetched and not read from a folder. */

export { filesInMemory, type ModelFiles } from "../model-files.ts";
export { openTranslator, type Translator } from "../translation/open.ts";
export type { TargetLanguage } from "../translation/text/language.ts";
export { translationTrace } from "../translation/trace.ts";
export type { TranslateOptions, Translation } from "../translation/translation.ts";
export { fetchFiles } from "./fetch-files.ts";
