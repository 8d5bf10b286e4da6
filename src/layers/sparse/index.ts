export * from "./block-sparse-attention.ts";
export * from "./longformer-attention.ts";
export * from "./lsh-self-attention.ts";
