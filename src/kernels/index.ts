/**
 * Attention on typed arrays, without TensorFlow.js: the fused kernels, and the oracles that they are held to, which
 * are plain loops in float64, forward and backward.
 */
export * from "./additive.ts";
export * from "./attention.ts";
export * from "./cache.ts";
export { type AttentionCost, attentionCost } from "./cost.ts";
export * from "./half-attention.ts";
export {
  type InitOptions,
  init,
  type KernelInfo,
  kernelMemoryBytes,
  lastCallBytes,
  shutdown,
} from "./init.ts";
export type { Layout } from "./layout.ts";
export { type AttentionMemory, attentionMemory, type CallBytes } from "./memory.ts";
export * from "./probe.ts";
export * from "./reduce-heads.ts";
export * from "./reference.ts";
export * from "./reference-additive.ts";
export { referenceProbe } from "./reference-probe.ts";
export * from "./reference-scores.ts";
