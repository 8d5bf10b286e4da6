export * from "./induced-set-attention.ts";
export * from "./slot-attention.ts";
