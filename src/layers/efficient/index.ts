export * from "./block-sparse-attention.ts";
export * from "./longformer-attention.ts";
