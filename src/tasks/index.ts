/** Applications, from data to a trained model: translation, language models. */

export * from "./language-model/index.ts";
export type { RunOptions } from "./run-options.ts";
export * from "./translation/index.ts";
