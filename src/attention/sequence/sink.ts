import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../ops/attention/guard.ts";
import {
  type AttentionOptions,
  type AttentionResult,
  compileAttention,
  runAttention,
} from "../../ops/attention/run.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";

export interface SinkParameters {
  /** A logit for each head [H], or one number for all. */
  sink: number | tf.Tensor1D;
}

export interface SinkOptions extends Omit<AttentionOptions, "sink"> {
  /** Return what the sink takes of each row, [B, H, T]. @default false */
  sinkMass?: boolean;
}

export type SinkResult<O> = AttentionResult<O> & Asked<O, "sinkMass", tf.Tensor3D>;

/**
 * Attention with a sink: a learned logit competes with the keys and has no value, so a head may attend to nothing.
 *
 *     α_ts = exp(e_ts) / (exp(sink_h) + Σ_r exp(e_tr)),    output_t = Σ_s α_ts v_s,    sinkMass_t = 1 − Σ_s α_ts
 *
 * Symbols: e the scores scale · q_t·k_s + bias_ts, scale = 1/√D; h the head.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], sink [H] → output [B, H, T, Dv], weights [B, H, T, S],
 * sinkMass [B, H, T].
 * Conventions: the returned weights leave the sink out, so they sum to 1 − sinkMass; lse counts it in. sink = 0 is
 * softmax-plus-one, exp(e_s) / (1 + Σ exp(e_r)), and the same as a key and value of zeros (PyTorch's add_zero_attn).
 * A row that sees no key gives 0, and its sinkMass is 1. Differentiable in the sink. Other options as
 * `softAttention`'s.
 * Cost: as soft attention's, in the same kernel. Papers: Xiao et al. 2023, §3.1, arxiv.org/abs/2309.17453 (sinks and
 * softmax-plus-one); OpenAI 2025, §2.3, arxiv.org/abs/2508.10925 (a learned logit per head).
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION · and what `attention`
 *   throws for its other options
 * @draws
 * // Without a sink, with sink 0 and with a strong one: rows of weak scores fade first.
 * const at = tf.outerProduct(tf.range(0, 12), tf.tensor1d([0.26, 0.52, 1.05, 1.57]));
 * const x = tf.concat([tf.cos(at), tf.sin(at)], 1);
 * const strength = tf.reshape(tf.linspace(0.2, 4, 12), [12, 1]);
 * const q = tf.tile(tf.reshape(tf.mul(x, strength), [1, 1, 12, 8]), [1, 3, 1, 1]);
 * const k = tf.reshape(x, [1, 1, 12, 8]);
 * const sink = tf.tensor1d([-30, 0, 4]);
 * return tf.squeeze(sinkAttention(q, k, k, { sink }, { weights: true }).weights, [0]);
 * @example
 * const sink = tf.variable(tf.zeros([3])); // one logit per head
 * const { weights, sinkMass } = sinkAttention(q, k, v, { sink }, { weights: true, sinkMass: true });
 * tf.add(tf.sum(weights, -1), sinkMass); // all ones
 */
export function sinkAttention<const O extends SinkOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { sink }: SinkParameters,
  options: O = {} as O,
): SinkResult<O> {
  const { sinkMass, ...rest }: SinkOptions = options;
  const { program, layout, asked } = compileAttention("sinkAttention", { q, k, v }, { ...rest, sink });
  return tidyAsked((): SinkResult<SinkOptions> => {
    const { lse, ...result } = runAttention(
      program,
      layout,
      { q, k, v },
      { ...asked, lse: asked.lse || sinkMass },
    );
    const logit = typeof sink === "number" ? sink : tf.reshape(sink, [sink.size, 1]);
    return {
      ...result,
      ...(asked.lse && { lse }),
      ...(sinkMass && { sinkMass: massOf(logit, lse!) }),
    };
  });
}

/** exp(sink − lse); 1 where lse is −∞, so that sink and all scores are. */
function massOf(sink: number | tf.Tensor, lse: tf.Tensor3D): tf.Tensor3D {
  const nothing = detached(tf.equal(lse, Number.NEGATIVE_INFINITY));
  return tf.where(nothing, 1, tf.exp(tf.sub(sink, tf.where(nothing, 0, lse)))) as tf.Tensor3D;
}
