export * from "../../ops/attention/mask.ts";
export * from "../../ops/attention/mask.ts";
export * from "./causal.ts";
export { type FixedOptions, fixedPattern } from "./fixed.ts";
export { type LongformerOptions, longformerPattern } from "./longformer.ts";
export * from "./padding.ts";
export * from "./pattern.ts";
export * from "./strided.ts";
export * from "./window.ts";
