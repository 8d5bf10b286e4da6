export * from "./draw-read.ts";
export * from "./draw-write.ts";
export * from "./gaussian-glimpse.ts";
export * from "./soft-mask-attention.ts";
export * from "./spatial-transformer.ts";
