export * from "./seq2seq/index.ts";
