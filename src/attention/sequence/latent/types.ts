import type * as tf from "@tensorflow/tfjs-core";
import type { Asked } from "../../../ops/tidy.ts";
import type { MultiHeadOptions, MultiHeadResult } from "../multi-head.ts";

export interface MultiHeadLatentParameters {
  /** Down-projection to the latents of keys and values, [C, R]. */
  wdkv: tf.Tensor2D;
  /** Up-projection to keys, [R, H, D]. */
  wuk: tf.Tensor3D;
  /** Up-projection to values, [R, H, Dv]. */
  wuv: tf.Tensor3D;
  /** Down-projection to the latents of queries, [C, Rq]. @default none: the latents are x itself, Rq = C */
  wdq?: tf.Tensor2D;
  /** Up-projection to queries, [Rq, H, D]. */
  wuq: tf.Tensor3D;
  /** The key that carries positions, one for all heads, [C, Dr]. @default none */
  wkr?: tf.Tensor2D;
  /** The queries that meet it, [Rq, H, Dr]. @default none */
  wqr?: tf.Tensor3D;
  /** [H, Dv, Cout] @default none: the heads side by side, Cout = H·Dv */
  wo?: tf.Tensor3D;
  /** Of the RMS norm of the latents of keys and values, [R]. @default no norm */
  gammaKv?: tf.Tensor1D;
  /** Of the RMS norm of the latents of queries, [Rq]; with wdq. @default no norm */
  gammaQ?: tf.Tensor1D;
}

/** What is remembered of tokens: their latents [B, S, R], and their rotated keys [B, S, Dr] where there are any. */
export interface LatentCache {
  latent: tf.Tensor3D;
  positionKey?: tf.Tensor3D;
}

export interface MultiHeadLatentOptions extends MultiHeadOptions {
  /**
   * Rotates [B, N, H, Dr] by positions start, start + 1, …, into the same shape, such as
   * `(x, start) => rope(x, { layout: "bthd", offset: start })`. @default no rotation
   */
  rotate?: (x: tf.Tensor4D, start: number) => tf.Tensor4D;
  /** The cache of an earlier call, whose tokens come before x. @default none */
  past?: LatentCache;
  /** Return the cache of all tokens so far. @default false */
  cache?: boolean;
  /** Attend on the latents, without making keys and values of them. @default false */
  absorbed?: boolean;
  /** Added to the mean square in the norms; above 0. @default 1e-6 */
  epsilon?: number;
}

export type MultiHeadLatentResult<O> = MultiHeadResult<O> & Asked<O, "cache", LatentCache>;
