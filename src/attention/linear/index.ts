export * from "./aft.ts";
export * from "./cosformer.ts";
export * from "./gated-delta.ts";
export * from "./linear-attention.ts";
export * from "./linformer.ts";
export * from "./nystromformer.ts";
export * from "./performer.ts";
export * from "./retention.ts";
