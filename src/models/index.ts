export * from "./seq2seq/index.ts";
export * from "./transformer/index.ts";
