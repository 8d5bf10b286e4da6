export * from "./gated-cross-attention.ts";
export * from "./transformer-decoder-layer.ts";
export * from "./transformer-encoder-layer.ts";
