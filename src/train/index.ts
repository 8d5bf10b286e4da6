/** Weights files, checkpoints, schedules, the training loop and the metrics of translation and alignment. */
export * from "../core/bfloat16.ts";
export * from "../core/float16.ts";
export * from "../core/safetensors.ts";
export * from "./adam.ts";
export * from "./checkpoint.ts";
export * from "./early-stopping.ts";
export * from "./loop.ts";
export * from "./metrics/aer.ts";
export * from "./metrics/bleu.ts";
export * from "./metrics/chrf.ts";
export * from "./metrics/exact-match.ts";
export * from "./metrics/tokenize-13a.ts";
export * from "./named-gradients.ts";
export * from "./progress.ts";
export * from "./schedule.ts";
export * from "./step-profile.ts";
