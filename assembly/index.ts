// The kernels of one WebAssembly module. Every export works on addresses in TensorFlow.js' heap; sizes count
// elements unless they say bytes. No file here may use strings, static arrays or Mathf.log/exp: they bring a
// data segment, which the build refuses (it would overwrite the host's statics).
export { gemm, gemmInt, gemmPart, gemmScratchBytes } from "./gemm";
export * from "./gather";
export * from "./copy";
export * from "./transpose";
export * from "./select";
export * from "./activation";
export * from "./gelu";
export * from "./layer-norm";
export * from "./rms-norm";
export * from "./rotate";
export * from "./silu";
export * from "./recurrent";
export * from "./loss";
export { topLogits } from "./top-logits";
export * from "./binary";
export { sumAxis } from "./sum";
export * from "./unary";
export * from "./conv";
export * from "./cast";
export * from "./half";
export * from "./adam";
export * from "./dropout";
export { gumbel } from "./gumbel";
export * from "./glimpse";
export * from "./quantized/index";
export * from "./additive/index";
export * from "./attention/index";
