export type { BlockMask, BlockOptions, FeedForwardParameters, NormParameters } from "./block.ts";
export * from "./decoder-layer.ts";
export * from "./encoder-layer.ts";
export * from "./from-torch.ts";
