/** Captions of scenes by Show, Attend and Tell: load a model, caption, see where each word looked, train another. */
export { type Caption, Captioner, type CaptionOptions } from "./captioner.ts";
export type { CaptioningCard } from "./card.ts";
export { captionStrip } from "./draw.ts";
export { type Evaluation as CaptioningEvaluation, evaluate as evaluateCaptions } from "./evaluate.ts";
export { loadCaptioner } from "./files.ts";
export { type CaptioningRecipe, DEFAULT_CAPTIONING_RECIPE } from "./recipe.ts";
export { type CaptioningRun, runCaptioning } from "./run.ts";
export { captionTrace } from "./trace.ts";
