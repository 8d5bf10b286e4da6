export type { Normalize } from "../../ops/attention/weigh.ts";
export * from "./attend.ts";
export * from "./soft-attention.ts";
