export * from "./big-bird.ts";
export * from "./block-mask.ts";
export * from "./block-sparse.ts";
export * from "./fixed.ts";
export * from "./longformer.ts";
export * from "./lsh.ts";
export * from "./merge-attention.ts";
export {
  type Compress,
  type KeyValues,
  type NsaBranches,
  type NsaOptions,
  nativeSparseAttention,
  selectionMask,
} from "./nsa.ts";
export type { SparseOptions, SparseResult } from "./one-sequence.ts";
export * from "./strided.ts";
export * from "./top-k.ts";
