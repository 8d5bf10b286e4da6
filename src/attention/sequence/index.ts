export * from "./attend.ts";
export * from "./soft-attention.ts";
export type { Normalize } from "./weigh.ts";
