export * from "../../ops/attention/mask.ts";
export * from "./causal.ts";
export * from "./padding.ts";
export * from "./pattern.ts";
export * from "./window.ts";
