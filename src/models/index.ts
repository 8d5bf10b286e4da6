export * from "./adapters/index.ts";
export * from "./glimpse/index.ts";
export * from "./keras/index.ts";
export * from "./pretrained/index.ts";
export * from "./quantum-self-attention-network.ts";
export * from "./seq2seq/index.ts";
export * from "./spikformer.ts";
export * from "./transformer/index.ts";
