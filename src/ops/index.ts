/** Differentiable operations: one fused kernel on the `heed` backend, composed of TensorFlow.js ops elsewhere. */
export * from "./additive-attention.ts";
export * from "./attention.ts";
export * from "./attention-memory.ts";
export * from "./dropout.ts";
export * from "./gelu.ts";
export * from "./grid-sample.ts";
export * from "./gru-cell.ts";
export * from "./gru-sequence.ts";
export * from "./half.ts";
export * from "./layer-norm.ts";
export * from "./linear.ts";
export * from "./lstm-cell.ts";
export * from "./lstm-sequence.ts";
export * from "./measure-memory.ts";
export * from "./rms-norm.ts";
export * from "./silu.ts";
export * from "./softmax-cross-entropy.ts";
