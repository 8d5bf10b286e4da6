/** Applications, from data to a trained model: translation, summaries, language models, images; published models; atoms of reactions. */

export * from "./atom-mapping/index.ts";
export * from "./captioning/index.ts";
export * from "./detection/index.ts";
export * from "./forecasting/index.ts";
export * from "./formants/index.ts";
export * from "./image-classification/index.ts";
export * from "./language-model/index.ts";
export * from "./pretrained/index.ts";
export type { RunOptions } from "./run-options.ts";
export * from "./scenes/index.ts";
export * from "./summarization/index.ts";
export * from "./tracking/index.ts";
export * from "./translation/index.ts";
export * from "./visual-questions/index.ts";
