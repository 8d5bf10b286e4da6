export * from "./aft.ts";
export * from "./big-bird.ts";
export * from "./block-mask.ts";
export * from "./block-sparse.ts";
export * from "./cosformer.ts";
export { type FixedAttentionOptions, fixedAttention } from "./fixed.ts";
export * from "./gated-delta.ts";
export * from "./linear-attention.ts";
export * from "./linformer.ts";
export * from "./longformer.ts";
export * from "./lsh-attention.ts";
export * from "./merge-attention.ts";
export {
  type Compress,
  type KeyValues,
  type NsaBranches,
  type NsaOptions,
  nativeSparseAttention,
  selectionMask,
} from "./nsa.ts";
export * from "./nystromformer.ts";
export * from "./performer.ts";
export * from "./retention.ts";
export type { SparseOptions, SparseResult } from "./self.ts";
export * from "./strided.ts";
export * from "./top-k.ts";
