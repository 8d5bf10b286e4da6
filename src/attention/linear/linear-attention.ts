import * as tf from "@tensorflow/tfjs-core";
import {
  featureAttention,
  type LinearAttentionOptions,
  type LinearAttentionResult,
} from "./feature-attention.ts";

export type { FeatureMap, LinearAttentionOptions, LinearAttentionResult } from "./feature-attention.ts";

/**
 * elu(x) + 1, the features of linear attention: above 0 everywhere.
 *
 *     φ(x) = x + 1 for x > 0, e^x otherwise
 *
 * Shapes: any → the same. Conventions: computed as relu(x) + e^{min(x, 0)}, which keeps its digits where e^x − 1 + 1
 * loses them. Cost: O(n). Paper: Katharopoulos et al. 2020, §3.2.2, arxiv.org/abs/2006.16236.
 *
 * @example
 * eluFeatures(tf.tensor1d([2, 0])); // [3, 1]
 */
export function eluFeatures<T extends tf.Tensor>(x: T): T {
  return tf.add(tf.relu(x), tf.exp(tf.minimum(x, 0))) as T;
}

/**
 * Linear attention: weights that are products of features, so that keys and values are summed once for all queries.
 *
 *     out_t = Σ_s φ(q_t)·φ(k_s) v_s / Σ_s φ(q_t)·φ(k_s) = S_tᵀ φ(q_t) / z_t·φ(q_t)
 *     S_t = Σ_s φ(k_s) v_sᵀ,    z_t = Σ_s φ(k_s),    over all s, or s ≤ t where causal
 *
 * Symbols: φ the feature map, elu + 1 unless another is given; S the state, z its normaliser.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv]; H a multiple of Hkv;
 * state [B, Hkv, Dφ, Dv + 1], whose last column is z; weights [B, H, T, S].
 * Conventions: causal needs T = S; earlier steps come as `state`. Its forms "chunked", "parallel" and "recurrent" give
 * the same. A query without a visible key gives 0, as does one whose weights sum to less than 1e-37, where float32
 * ends. NaN in hidden keys leaks nowhere; where causal, a key or value that is not finite makes the outputs of its head
 * NaN from its position on, and none before. `scale` is the feature map's.
 * Cost: O(n·Dφ·Dv), and n·chunkSize·(Dφ + Dv) where causal, instead of n²·D; memory O(n).
 * Paper: Katharopoulos et al. 2020, §3, arxiv.org/abs/2006.16236.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION, DTYPE, CONFLICT
 * @draws
 * const q = tf.tensor4d(Array.from({ length: 16 }, (_, t) => [Math.cos(t / 3), Math.sin(t / 3)]).flat(), [1, 1, 16, 2]);
 * return linearAttention(tf.mul(q, 3), tf.mul(q, 3), q, { causal: true, weights: true }).weights;
 * @example
 * const { output } = linearAttention(q, k, v, { causal: true, chunkSize: 2 }); // [B, H, T, Dv]
 */
export function linearAttention<const O extends LinearAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): LinearAttentionResult<O> {
  const { featureMap = eluFeatures, ...rest }: LinearAttentionOptions = options;
  return featureAttention<O>("linearAttention", [q, k, v], [featureMap, featureMap], rest);
}

/**
 * One step of causal linear attention, for decoding: it reads and returns the state.
 *
 *     S_t = S_{t−1} + φ(k_t) v_tᵀ,    z_t = z_{t−1} + φ(k_t),    out_t = S_tᵀ φ(q_t) / z_t·φ(q_t)
 *
 * Shapes: q [B, H, 1, D], k [B, Hkv, 1, D], v [B, Hkv, 1, Dv] → output [B, H, 1, Dv], state [B, Hkv, Dφ, Dv + 1].
 * Conventions: the same as the whole sequence at once; several steps may come together. Cost: O(Dφ·Dv) a step,
 * whatever came before. Paper: Katharopoulos et al. 2020, §3.4, arxiv.org/abs/2006.16236.
 *
 * @throws what `linearAttention` throws
 * @example
 * const token = tf.ones([1, 2, 1, 4]);
 * const first = linearAttentionStep(token, token, token);
 * const second = linearAttentionStep(token, token, token, first.state); // state [1, 2, 4, 5]
 */
export function linearAttentionStep(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  state?: tf.Tensor4D,
  options: Pick<LinearAttentionOptions, "featureMap" | "normalize" | "finite"> = {},
): { output: tf.Tensor4D; state: tf.Tensor4D } {
  return linearAttention(q, k, v, { ...options, causal: true, ...(state && { state }), returnState: true });
}
