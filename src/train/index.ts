/** Weights files, checkpoints, schedules, the training loop and the metrics of translation and alignment. */
export * from "../core/float16.ts";
export * from "../core/safetensors.ts";
export * from "./checkpoint.ts";
