/** Attention mechanisms for TensorFlow.js. */
export * from "./attention/index.ts";
export * from "./core/index.ts";
