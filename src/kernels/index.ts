/** The oracles: attention and its scores in plain loops and float64, forward and backward. */
export * from "./reference.ts";
export * from "./reference-scores.ts";
