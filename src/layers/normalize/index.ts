export * from "./layer-normalization.ts";
export * from "./rms-normalization.ts";
