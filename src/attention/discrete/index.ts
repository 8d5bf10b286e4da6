export { type Baseline, MovingAverage } from "./baseline.ts";
export { sampleCategorical } from "./categorical.ts";
export type { RandomDraw } from "./check.ts";
export * from "./estimator-meter.ts";
export * from "./gumbel-softmax.ts";
export * from "./sampled-attention.ts";
export * from "./score-function.ts";
export * from "./straight-through.ts";
