export * from "./hard-attention.ts";
