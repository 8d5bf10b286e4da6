export * from "./attention.ts";
export * from "./reference.ts";
export * from "./reference-scores.ts";
