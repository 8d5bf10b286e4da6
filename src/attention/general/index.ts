export * from "./mask-attention.ts";
