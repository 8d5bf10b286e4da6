import * as tf from "@tensorflow/tfjs-core";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { allowTensor } from "../mask/allow.ts";
import { addConstant, type Guarded, guard, isKnownFinite, visiblePoison } from "./guard.ts";
import { type Weighed, weigh } from "./weigh.ts";

export interface SoftAttentionOptions extends ProgramOptions<tf.Tensor> {
  /** Return the weights [B, H, T, S], before dropout. @default false */
  weights?: boolean;
  /** Return the log-sum-exp of the scores [B, H, T], natural logarithm. @default false */
  lse?: boolean;
  /**
   * Promise that q, k and v hold finite numbers even in hidden places: saves looking for NaN. @default false
   */
  finite?: boolean;
}

export type SoftAttentionResult<O> = { output: tf.Tensor4D } & (O extends { weights: true }
  ? { weights: tf.Tensor4D }
  : { weights?: tf.Tensor4D }) &
  (O extends { lse: true } ? { lse: tf.Tensor3D } : { lse?: tf.Tensor3D });

/**
 * Soft attention: every query reads a weighted mean of all values it may see.
 *
 *     out_t = Σ_s α_ts v_s,    α_t = softmax_s(scale · q_t·k_s + bias_ts)
 *
 * Symbols: q queries, k keys, v values, α weights; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv]; H a multiple of Hkv.
 * Conventions: query head h reads key/value head ⌊h·Hkv/H⌋, nothing is copied for it. Options are those of the
 * attention program (core/program.ts); masks, bias, lengths and windows compose. A row without a visible key gives
 * 0 output, 0 weights, lse −∞ and 0 gradients. NaN in hidden places leaks nowhere; a NaN that is seen makes its
 * row NaN. Rows of weights sum to 1 (less with a sink), whether asked for or not. Differentiable in q, k, v, bias
 * and sink.
 * Cost: O(B·H·T·S·(D + Dv)) time, O(B·H·T·S) memory. Paper: Vaswani et al. 2017, §3.2.1, arxiv.org/abs/1706.03762.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS · and what `compileProgram` throws
 * @example
 * const { output, weights } = softAttention(q, k, v, { causal: true, weights: true });
 */
export function softAttention<const O extends SoftAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options?: O,
): SoftAttentionResult<O>;
export function softAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: SoftAttentionOptions = {},
): SoftAttentionResult<SoftAttentionOptions> {
  const shapes = attentionShapes("softAttention", q, k, v);
  const program = compileProgram("softAttention", shapes, options);
  const { B, H, Hkv, T, S, D, Dv } = shapes;
  const G = H / Hkv;
  return tf.tidy(() => {
    const allow = allowTensor(program);
    const sift: (x: tf.Tensor4D) => MaybeGuarded =
      allow && !options.finite && ![q, k, v].every(isKnownFinite) ? guard : (clean) => ({ clean });
    const [query, key, value] = [q, k, v].map(sift);
    // The query heads that share a key head stand below each other as rows of one product.
    const scaled = tf.reshape(tf.mul(query.clean, program.scale), [B, Hkv, G * T, D]);
    const product = tf.reshape(tf.matMul(scaled, key.clean, false, true), [B, H, T, S]);
    const keyPoison = key.poison && perQueryHead(key.poison, H);
    const weighed = weigh(program, product, {
      allow,
      bias: options.bias,
      poison: query.poison && keyPoison ? [query.poison, keyPoison] : [],
    });
    const rows = tf.reshape(weighed.dropped, [B, Hkv, G * T, S]);
    let output = tf.reshape(tf.matMul(rows, value.clean), [B, H, T, Dv]) as tf.Tensor4D;
    if (allow && value.poison)
      output = addConstant(output, visiblePoison(allow, perQueryHead(value.poison, H)));
    return pick(options, output, weighed);
  });
}

type MaybeGuarded = Guarded<tf.Tensor4D> | { clean: tf.Tensor4D; poison?: undefined };

/** Poison of keys [B, Hkv, S, 1] → [B, H, 1, S]. */
function perQueryHead(poison: tf.Tensor, H: number): tf.Tensor {
  const [B, Hkv, S] = poison.shape as [number, number, number, number];
  return tf.reshape(tf.tile(tf.reshape(poison, [B, Hkv, 1, S]), [1, 1, H / Hkv, 1]), [B, H, 1, S]);
}

function pick(options: SoftAttentionOptions, output: tf.Tensor4D, { weights, lse }: Weighed) {
  return {
    output,
    ...(options.weights ? { weights: weights as tf.Tensor4D } : {}),
    ...(options.lse ? { lse: lse() as tf.Tensor3D } : {}),
  };
}
