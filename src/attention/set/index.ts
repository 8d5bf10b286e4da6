export * from "./deformable-attention.ts";
export * from "./induced-set-attention.ts";
export * from "./multi-head-attention-block.ts";
export * from "./pooling-by-attention.ts";
export * from "./slot-attention.ts";
