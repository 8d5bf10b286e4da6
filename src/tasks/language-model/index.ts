/** Language models of characters: train one on a text, let it write, score a text. */
export type { LanguageModelCard } from "./card.ts";
export { type Bits, type BitsOptions, bitsPerCharacter } from "./evaluate.ts";
export {
  DEFAULT_LANGUAGE_MODEL,
  LanguageModel,
  loadLanguageModel,
  type WriteOptions,
} from "./language-model.ts";
export { DEFAULT_LANGUAGE_MODEL_RECIPE, type LanguageModelRecipe } from "./recipe.ts";
export { type LanguageModelResult, runLanguageModel } from "./run.ts";
export { Characters } from "./text.ts";
