export * from "./gated-delta-net.ts";
export * from "./linear-attention.ts";
export * from "./linformer-attention.ts";
export * from "./multi-scale-retention.ts";
export * from "./nystrom-attention.ts";
export * from "./performer-attention.ts";
