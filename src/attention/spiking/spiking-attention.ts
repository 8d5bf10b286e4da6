import * as tf from "@tensorflow/tfjs-core";
import { type AttentionProgram, compileProgram, type ProgramOptions } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { dotScores, sharedRows } from "../../ops/attention/composed.ts";
import { ofNothing } from "../../ops/attention/guard.ts";
import { allowTensor } from "../../ops/attention/mask.ts";
import { float } from "../../ops/registry.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkSpikes } from "./check.ts";

export interface SpikingAttentionOptions
  extends Pick<
    ProgramOptions<tf.Tensor>,
    "allow" | "causal" | "queryOffset" | "window" | "queryLengths" | "keyLengths"
  > {
  /** s, the factor of the sums; any finite number. @default 0.125, as in Spikformer */
  scale?: number;
  /** Return s · QKᵀ, [B, H, T, S]. @default false */
  weights?: boolean;
}

export type SpikingAttentionResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor4D>;

/** s of the paper's code. */
export const SPIKING_SCALE = 0.125;

/**
 * Spiking attention: binary queries, keys and values, no softmax, and nothing but additions.
 *
 *     out_t = s · Σ_s′ (Σ_d q_td k_s′d) v_s′,    q, k, v ∈ {0, 1}
 *
 * Symbols: q, k, v spikes, s the scale; Σ_d q_td k_s′d is how many spikes a query and a key share, a whole number.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], weights [B, H, T, S]; H a multiple
 * of Hkv. Time steps are examples: fold N of them into the batch.
 * Conventions: masks are those of the attention program (core/program.ts): `true` means attend, a query that sees nothing
 * gives 0, `causal: true` needs T = S or a `queryOffset`, and a window includes its own position. The weights are counts
 * times s; rows do not sum to 1. Spikes are 0 or 1 everywhere, in hidden places too. Without a mask the order of the two
 * products is the cheaper one, Q(KᵀV) or (QKᵀ)V; both are sums of whole numbers, so below 2²⁴ they are equal bit for bit
 * where s is a power of two. On hardware s is part of the next neuron's threshold, so nothing is multiplied there;
 * `spikingOperations` counts the additions. Gradients reach q, k and v as those of any product.
 * Cost: O(B·H·min(T·S·(D + Dv), (T + S)·D·Dv)) here. Paper: Zhou et al. 2022 (Spikformer), §3.3,
 * arxiv.org/abs/2209.15425.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError DTYPE when a number is neither 0 nor 1 · and what
 *   `compileProgram` throws
 * @draws
 * const spikes = (seed, share) => tf.cast(tf.less(tf.randomUniform([1, 3, 12, 16], 0, 1, "float32", seed), share), "float32");
 * const q = spikes(4, 0.3);
 * const { weights } = spikingAttention(q, q, q, { causal: true, weights: true });
 * return tf.squeeze(weights, [0]);
 * @example
 * const q = tf.tensor4d([1, 1, 0], [1, 1, 1, 3]);
 * const k = tf.tensor4d([1, 1, 1, 0, 1, 0], [1, 1, 2, 3]);
 * const v = tf.tensor4d([1, 0, 1, 1], [1, 1, 2, 2]);
 * const { output, weights } = spikingAttention(q, k, v, { scale: 1, weights: true });
 * weights; // [[[[2, 1]]]]
 * output; // [[[[3, 1]]]]
 */
export function spikingAttention<const O extends SpikingAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): SpikingAttentionResult<O> {
  const op = "spikingAttention";
  const { weights: wanted = false, ...given }: SpikingAttentionOptions = options;
  const program = compileProgram<tf.Tensor>(op, attentionShapes(op, q, k, v), {
    scale: SPIKING_SCALE,
    ...given,
  });
  for (const [name, spikes] of Object.entries({ q, k, v })) checkSpikes(op, name, spikes);
  return tidyAsked(() => attendSpikes(program, { q: float(q), k: float(k), v: float(v) }, wanted));
}

export interface SpikeTensors {
  /** [B, H, T, D] */
  q: tf.Tensor;
  /** [B, Hkv, S, D] */
  k: tf.Tensor;
  /** [B, Hkv, S, Dv] */
  v: tf.Tensor;
}

/** What spikes that are known to be binary read, by a program; for calls within `tf.tidy`. */
export function attendSpikes(
  program: AttentionProgram<tf.Tensor>,
  { q, k, v }: SpikeTensors,
  wanted: boolean,
): SpikingAttentionResult<{ weights?: boolean }> {
  const { shapes, scale } = program;
  const { B, H, T, S, D, Dv } = shapes;
  const allow = allowTensor(program);
  const shaped = (rows: tf.Tensor) => tf.reshape<tf.Rank.R4>(rows, [B, H, T, Dv]);
  if (B * T * S === 0) {
    const weights = dotScores(program, q, k) as tf.Tensor4D;
    return { output: ofNothing([q, k, v], [B, H, T, Dv]) as tf.Tensor4D, ...(wanted && { weights }) };
  }
  if (!wanted && !allow && (T + S) * D * Dv < T * S * (D + Dv)) {
    return { output: shaped(tf.mul(tf.matMul(sharedRows(q, shapes), tf.matMul(k, v, true)), scale)) };
  }
  const scores = dotScores(program, q, k) as tf.Tensor4D;
  const weights = allow ? tf.mul<tf.Tensor4D>(scores, tf.cast(allow, "float32")) : scores;
  return { output: shaped(tf.matMul(sharedRows(weights, shapes), v)), ...(wanted && { weights }) };
}
