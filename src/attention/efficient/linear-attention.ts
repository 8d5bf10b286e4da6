import * as tf from "@tensorflow/tfjs-core";
import { checkPadding, checkSequences, checkShape, type Padding, type PaddingOptions } from "./check.ts";
import { lowerOnes } from "./chunked-state.ts";
import { checkForm, type FormOptions, runForm, withoutStray } from "./form.ts";
import { hide, quotient } from "./numerics.ts";

/** φ: [..., D] → [..., any width]; features should not be negative, so that the weights are a mean. */
export type FeatureMap = (x: tf.Tensor4D) => tf.Tensor4D;

export interface LinearAttentionOptions extends PaddingOptions, FormOptions {
  /** @default eluFeatures */
  featureMap?: FeatureMap;
  /** Query t sees the keys up to t; T must be S. @default false */
  causal?: boolean;
  /** Divide by the sum of the weights. @default true */
  normalize?: boolean;
  /** Return the weights [B, H, T, S]; costs O(T·S). @default false */
  weights?: boolean;
}

export type LinearAttentionResult<O> = { output: tf.Tensor4D } & (O extends { weights: true }
  ? { weights: tf.Tensor4D }
  : { weights?: tf.Tensor4D }) &
  (O extends { returnState: true } ? { state: tf.Tensor4D } : { state?: tf.Tensor4D });

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
 * the same. A query without a visible key gives 0. NaN in hidden keys leaks nowhere; where causal, a key or value that
 * is not finite makes the outputs of its head NaN from its position on, and none before. `scale` is the feature map's.
 * Cost: O(n·Dφ·Dv), and n·chunkSize·(Dφ + Dv) where causal, instead of n²·D; memory O(n).
 * Paper: Katharopoulos et al. 2020, §3, arxiv.org/abs/2006.16236.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, NO_WIDTH, EMPTY_SEQUENCE, RECURRENT_LENGTHS, INPUT_SHAPE · OptionError
 *   CHOICE, NUMBER_RANGE, LENGTHS, ALLOW_DTYPE
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
  options?: O,
): LinearAttentionResult<O>;
export function linearAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: LinearAttentionOptions = {},
): LinearAttentionResult<LinearAttentionOptions> {
  const { featureMap = eluFeatures, ...rest } = options;
  return featureAttention("linearAttention", [q, k, v], [featureMap, featureMap], rest);
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

/** Linear attention whose queries and keys have feature maps of their own. */
export function featureAttention(
  op: string,
  [q, k, v]: readonly [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D],
  [ofQueries, ofKeys]: readonly [FeatureMap, FeatureMap],
  options: Omit<LinearAttentionOptions, "featureMap">,
): LinearAttentionResult<LinearAttentionOptions> {
  const shapes = checkSequences(op, q, k, v);
  const padding = checkPadding(op, shapes, options);
  const { causal = false, normalize = true, finite = false, state } = options;
  const { B, Hkv } = shapes;
  if (causal) checkForm(op, shapes, options);
  return tf.tidy(() => {
    const kept = padding();
    const queries = ofQueries(hide(q, kept.queries));
    const keys = hide(k, kept.keys);
    const values = hide(v, kept.keys);
    const run = (clean: { keys?: tf.Tensor; values?: tf.Tensor }) => {
      const features = ofKeys(clean.keys as tf.Tensor4D);
      const summed = normalize ? withOnes(clean.values as tf.Tensor4D, kept) : (clean.values as tf.Tensor4D);
      if (!causal) return { output: readAll(queries, features, summed) };
      if (state)
        checkShape(op, "state [B, Hkv, Dφ, Dv + 1]", state, [B, Hkv, features.shape[3], summed.shape[3]]);
      return runForm({ q: queries, k: features, v: summed, ...(state && { state }) }, options);
    };
    const result = causal ? withoutStray({ keys, values }, finite, run) : run({ keys, values });
    const output = hide(normalize ? divided(result.output) : result.output, kept.queries);
    return {
      output,
      ...(result.state && { state: result.state }),
      ...(options.weights && { weights: weightsOf(queries, ofKeys(keys), kept, causal, normalize) }),
    } as unknown as tf.TensorContainerObject;
  }) as unknown as LinearAttentionResult<LinearAttentionOptions>;
}

/** Values with a column of ones, which sums the weights; hidden keys have 0 in it, as in their values. */
function withOnes(values: tf.Tensor4D, { keys }: Padding): tf.Tensor4D {
  const [B, Hkv, S] = values.shape;
  const ones = tf.ones([B, Hkv, S, 1]);
  return tf.concat([values, keys ? tf.mul(ones, tf.cast(keys, "float32")) : ones], 3) as tf.Tensor4D;
}

/** Σ_s (q_t·k_s) v_s over all keys: heads that share keys are more rows of one product. */
function readAll(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D): tf.Tensor4D {
  const [B, H, T, D] = q.shape;
  const [, Hkv, , Dv] = v.shape;
  const state = tf.matMul(k, v, true); // [B, Hkv, D, Dv]
  const rows = tf.reshape(q, [B, Hkv, (H / Hkv) * T, D]);
  return tf.reshape(tf.matMul(rows, state), [B, H, T, Dv]);
}

/** The first columns over the last; 0 where nothing was seen. */
function divided(sums: tf.Tensor4D): tf.Tensor4D {
  const [B, H, T, columns] = sums.shape;
  const total = tf.slice(sums, [0, 0, 0, columns - 1], [B, H, T, 1]);
  return quotient(tf.slice(sums, [0, 0, 0, 0], [B, H, T, columns - 1]), total, 3);
}

function weightsOf(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  kept: Padding,
  causal: boolean,
  normalize: boolean,
): tf.Tensor4D {
  const [B, H, T, D] = q.shape;
  const [, Hkv, S] = k.shape;
  const rows = tf.reshape(q, [B, Hkv, (H / Hkv) * T, D]);
  let products: tf.Tensor = tf.reshape(tf.matMul(rows, k, false, true), [B, H, T, S]);
  if (kept.keys) products = hide(products, tf.reshape(kept.keys, [B, 1, 1, S]));
  if (causal) products = tf.mul(products, lowerOnes(T));
  const weights = normalize ? quotient(products, tf.sum(products, 3, true), 3) : products;
  return hide(weights, kept.queries) as tf.Tensor4D;
}
