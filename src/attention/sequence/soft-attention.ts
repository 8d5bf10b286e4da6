import * as tf from "@tensorflow/tfjs-core";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { allowTensor } from "../../ops/attention/allow.ts";
import { addConstant, cleaned, isKnownFinite, strayValues, visibleKeys } from "../../ops/attention/guard.ts";
import { type Weighed, weigh } from "../../ops/attention/weigh.ts";

export interface SoftAttentionOptions extends ProgramOptions<tf.Tensor> {
  /** Return the weights [B, H, T, S], before dropout. @default false */
  weights?: boolean;
  /** Return the log-sum-exp of the scores [B, H, T], natural logarithm. @default false */
  lse?: boolean;
  /**
   * Promise that q, k and v hold finite numbers even in hidden places: saves looking for NaN, and on devices whose
   * answer would have to be waited for (WebGL) a second product. @default false
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
 * 0 output, 0 weights, lse −∞ and 0 gradients. NaN in hidden places leaks nowhere, whether allow, lengths, causality,
 * window or a bias of −∞ hide them; what is seen gives the same with a mask as without one, NaN and infinities too. Rows of weights sum to 1 (less with a sink), whether asked for or not. Differentiable in q, k, v, bias
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
  const { B, H, Hkv, T, S, Dv } = shapes;
  const G = H / Hkv;
  return tf.tidy(() => {
    const allow = allowTensor(program);
    const seen = options.finite || T * S === 0 ? undefined : visibleKeys(allow, options.bias);
    const dirtyScores = seen && ![q, k].every(isKnownFinite);
    const dirtyValues = seen && !isKnownFinite(v);
    // The query heads that share a key head stand below each other as rows of one product.
    const rowsOf = (x: tf.Tensor) => tf.reshape(x, [B, Hkv, G * T, x.shape[3]!]);
    const multiply = (query: tf.Tensor, key: tf.Tensor) =>
      tf.reshape(tf.matMul(rowsOf(tf.mul(query, program.scale)), key, false, true), [B, H, T, S]);
    const weighed = weigh(program, dirtyScores ? multiply(cleaned(q), cleaned(k)) : multiply(q, k), {
      allow: dirtyScores ? seen : allow,
      bias: options.bias,
      raw: dirtyScores ? multiply(q, k) : undefined,
    });
    const rows = rowsOf(weighed.dropped);
    let output = tf.matMul(rows, dirtyValues ? cleaned(v) : v);
    if (dirtyValues) {
      output = addConstant(output, strayValues(rows, rowsOf(tf.broadcastTo(seen, [B, H, T, S])), v));
    }
    return pick(options, tf.reshape(output, [B, H, T, Dv]) as tf.Tensor4D, weighed);
  });
}

function pick(options: SoftAttentionOptions, output: tf.Tensor4D, { weights, lse }: Weighed) {
  return {
    output,
    ...(options.weights ? { weights: weights as tf.Tensor4D } : {}),
    ...(options.lse ? { lse: lse() as tf.Tensor3D } : {}),
  };
}
