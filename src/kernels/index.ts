export * from "./reference.ts";
export * from "./reference-scores.ts";
