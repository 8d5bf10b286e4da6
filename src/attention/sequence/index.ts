export type { Normalize } from "../../ops/attention/weigh.ts";
export * from "./attend.ts";
export * from "./from-torch-in-proj.ts";
export * from "./multi-head.ts";
export * from "./soft-attention.ts";
