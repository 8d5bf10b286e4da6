export type { BlockOptions, FeedForwardParameters, NormParameters, TransformerMask } from "./block.ts";
export * from "./decoder-layer.ts";
export * from "./encoder-layer.ts";
export * from "./from-torch.ts";
export * from "./gated-cross-attention.ts";
