export * from "./layer-normalization.ts";
