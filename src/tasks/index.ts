/** Applications, from data to a trained model: translation. */
export type { RunOptions } from "./run-options.ts";
export * from "./translation/index.ts";
