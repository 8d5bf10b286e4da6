import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { checkSequences } from "./check.ts";
import {
  featureAttention,
  type LinearAttentionOptions,
  type LinearAttentionResult,
} from "./feature-attention.ts";

export interface CosformerOptions extends Omit<LinearAttentionOptions, "featureMap"> {
  /** M, from which distance on a weight is 0: an integer that no position reaches. @default the longer of T and S */
  length?: number;
  /** The position of the first query and key, where earlier ones are in `state`; an integer ≥ 0. @default 0 */
  offset?: number;
}

/**
 * cosFormer: linear attention whose weights fall with the distance as a cosine.
 *
 *     out_t = Σ_s w_ts v_s / Σ_s w_ts,    w_ts = relu(q_t)·relu(k_s) cos(π/2 · (t − s)/M)
 *
 * Symbols: M the length; the cosine of a difference is cos·cos + sin·sin, so the features of a position are
 * [relu(x) cos(πt/2M); relu(x) sin(πt/2M)].
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv]; state [B, Hkv, 2D, Dv + 1].
 * Conventions: as `linearAttention`. M stretches the cosine: batches that are padded differently, or one sequence in
 * parts, must be given the same. A query that meets no positive feature gives 0.
 * Cost: O(n·D·Dv). Paper: Qin et al. 2022, §3, arxiv.org/abs/2202.08791.
 *
 * @throws what `linearAttention` throws
 * @draws
 * const q = tf.ones([1, 1, 16, 2]);
 * return cosformerAttention(q, q, q, { weights: true }).weights;
 * @example
 * const { output } = cosformerAttention(q, k, v, { causal: true, length: 64 }); // [B, H, T, Dv]
 */
export function cosformerAttention<const O extends CosformerOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): LinearAttentionResult<O> {
  const op = "cosformerAttention";
  const { T, S } = checkSequences(op, q, k, v);
  const { offset = 0, length = offset + Math.max(T, S), ...rest }: CosformerOptions = options;
  checkCount(op, "offset", offset, 0);
  checkCount(op, "length", length, offset + Math.max(T, S));
  const features = (x: tf.Tensor4D) => turned(x, offset, length);
  return featureAttention(op, [q, k, v], [features, features], rest);
}

/** [relu(x) cos(πt/2M); relu(x) sin(πt/2M)] */
function turned(x: tf.Tensor4D, offset: number, length: number): tf.Tensor4D {
  const n = x.shape[2];
  const table = (f: (angle: number) => number) => {
    const values = Float32Array.from({ length: n }, (_, t) => f((Math.PI * (offset + t)) / 2 / length));
    return tf.tensor4d(values, [1, 1, n, 1]);
  };
  const positive = tf.relu(x);
  return tf.concat([tf.mul(positive, table(Math.cos)), tf.mul(positive, table(Math.sin))], 3) as tf.Tensor4D;
}
