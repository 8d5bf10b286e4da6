/** Language models of characters: train one on a text, let it write, score a text. */
export type { LanguageModelCard } from "./card.ts";
export { Characters } from "./characters.ts";
export { type Bits, type BitsOptions, bitsPerCharacter } from "./evaluate.ts";
export { DEFAULT_LANGUAGE_MODEL, loadLanguageModel } from "./files.ts";
export {
  LanguageModel,
  type WriteOptions,
} from "./language-model.ts";
export { DEFAULT_LANGUAGE_MODEL_RECIPE, type LanguageModelRecipe } from "./recipe.ts";
export { type LanguageModelResult, runLanguageModel } from "./run.ts";
