/** Image classification with a Vision Transformer: load one, classify, see what it looked at, train another. */
export type { ClassificationCard } from "./card.ts";
export { type Classification, ImageClassifier } from "./classifier.ts";
export type { ClassifierConfig, ImageFormat } from "./config.ts";
export { drawRollouts } from "./draw.ts";
export { type Evaluation as ClassificationEvaluation, evaluate as evaluateClassifier } from "./evaluate.ts";
export { DEFAULT_CLASSIFIER, loadClassifier } from "./files.ts";
export { patchRollout } from "./patch-rollout.ts";
export { DEFAULT_RECIPE as CLASSIFICATION_RECIPE, type Recipe as ClassificationRecipe } from "./recipe.ts";
export { type ClassificationRun, runClassification } from "./run.ts";
