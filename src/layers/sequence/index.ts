export * from "./bahdanau-attention.ts";
