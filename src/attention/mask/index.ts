export * from "../../ops/attention/allow.ts";
export * from "../../ops/attention/mask-scores.ts";
export * from "./causal.ts";
export * from "./padding.ts";
export * from "./window.ts";
