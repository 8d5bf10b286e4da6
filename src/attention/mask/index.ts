export * from "./allow.ts";
export * from "./causal.ts";
export * from "./mask-scores.ts";
export * from "./padding.ts";
export * from "./window.ts";
