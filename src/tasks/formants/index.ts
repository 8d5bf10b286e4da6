/** Vowels in noise: compose clips, say which vowel is heard and which bands say so, train another model. */
export type { FormantCard } from "./card.ts";
export { type BandGate, type HeardVowel, VowelClassifier } from "./classifier.ts";
export { type Clip, type ClipOptions, composeClip, exampleClip } from "./compose.ts";
export { drawBands } from "./draw.ts";
export { type Evaluation as FormantEvaluation, evaluate as evaluateVowels } from "./evaluate.ts";
export { DEFAULT_VOWEL_CLASSIFIER, loadVowelClassifier } from "./files.ts";
export { FORMANT_RECIPE, type FormantRecipe } from "./recipe.ts";
export { type FormantRun, runFormants } from "./run.ts";
export { VOWELS, type Vowel } from "./vowels.ts";
