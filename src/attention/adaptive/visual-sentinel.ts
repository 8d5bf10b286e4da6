import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { unequal } from "../../core/faults.ts";
import { compileProgram } from "../../core/program.ts";
import { checkRank, checkSame } from "../../core/shapes.ts";
import type { AdditiveAttentionOptions } from "../../ops/additive-attention.ts";
import { hiddenScore, runAdditiveProgram } from "../../ops/attention/additive.ts";
import { singleHeadMask } from "../../ops/attention/mask.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { project } from "../sequence/project.ts";
import { checkParameter } from "./check.ts";

export interface SentinelGateParameters {
  /** For the decoder's input, [E, C]. */
  wx: tf.Tensor2D;
  /** For the decoder's previous state, [C, C]. */
  wh: tf.Tensor2D;
}

/**
 * Sentinel gate: what an LSTM decoder knows without looking.
 *
 *     g_t = σ(W_x x_t + W_h h_{t−1}),    s_t = g_t ⊙ tanh(m_t)
 *
 * Symbols: x_t the decoder's input, h_{t−1} its previous state, m_t its memory cell, g the gate, s the sentinel.
 * Shapes: x [..., E], h [..., C], m [..., C] → [..., C]; rank 2 or more.
 * Conventions: steps and examples are independent of each other, so padding may be hidden afterwards.
 * Cost: O((E + C)·C) a step. Paper: Lu, Xiong, Parikh & Socher 2016, §2.3, (9) and (10), arxiv.org/abs/1612.01887.
 *
 * @throws ShapeError DIMENSION, RANK, SHAPE when the widths do not fit
 * @example
 * const [x, h, m] = [tf.ones([2, 5]), tf.ones([2, 3]), tf.ones([2, 3])];
 * sentinelGate(x, h, m, { wx: tf.zeros([5, 3]), wh: tf.zeros([3, 3]) }).shape; // [2, 3]
 */
export function sentinelGate<T extends tf.Tensor>(
  x: tf.Tensor,
  h: T,
  m: T,
  { wx, wh }: SentinelGateParameters,
): T {
  if (h.shape.join() !== m.shape.join()) {
    const names = { letter: "shape", a: "h [..., C]", b: "m [..., C]" };
    throw new ShapeError(
      "DIMENSION",
      unequal({ op: "sentinelGate", ...names, aShape: h.shape, bShape: m.shape }),
    );
  }
  return tf.tidy(() => tf.mul(tf.sigmoid(tf.add(linear(x, wx), linear(h, wh))), tf.tanh(m))) as T;
}

export interface VisualSentinelParameters {
  /** For the features, [C, A]. */
  wv: tf.Tensor2D;
  /** For the states, [Dq, A]. */
  wg: tf.Tensor2D;
  /** For the sentinels, [C, A]. */
  ws: tf.Tensor2D;
  /** [A] */
  wh: tf.Tensor1D;
}

export interface VisualSentinelOptions
  extends Pick<
    AdditiveAttentionOptions,
    "allow" | "bias" | "keyLengths" | "dropout" | "training" | "weights" | "finite"
  > {}

export type VisualSentinelResult<O> = { output: tf.Tensor3D; beta: tf.Tensor3D } & Asked<
  O,
  "weights",
  tf.Tensor3D
>;

/**
 * Visual sentinel: attention that may look at the image, or fall back on what the decoder knows.
 *
 *     e_ts = w_hᵀ tanh(W_v v_s + W_g h_t),    ê_t = w_hᵀ tanh(W_s s_t + W_g h_t),    α_t = softmax(e_t)
 *     β_t = softmax([e_t; ê_t])_{S+1} = σ(ê_t − ln Σ_s exp(e_ts)),    c_t = Σ_s α_ts v_s,    ĉ_t = β_t s_t + (1 − β_t) c_t
 *
 * Symbols: h_t the decoder's states, v_s image features, s_t sentinels (`sentinelGate`), β the share of the sentinel,
 * c the context of the image alone and ĉ that of both; A hidden units.
 * Shapes: h [B, T, Dq], v [B, S, C], s [B, T, C] → output ĉ [B, T, C], beta [B, T, 1], weights α [B, T, S].
 * Conventions: the sentinel is one more key, with itself as its value, and another one for each query. Masks hide
 * features only: a query that sees none has β = 1 and reads its sentinel, and NaN in hidden features leaks nowhere.
 * The weights sum to 1 without the sentinel; times 1 − β they are those of the larger softmax. The image's part is
 * `additiveAttention`, one kernel on the `heed` backend. Differentiable once, in everything.
 * Cost: O(B·(S + T)·C·A) for projections and O(B·T·S·(A + C)) time. Paper: Lu, Xiong, Parikh & Socher 2016, §2.3,
 * (6) to (8) and (11) to (13), arxiv.org/abs/1612.01887.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · and what `compileProgram` throws
 * @draws
 * const n = 12;
 * const h = tf.expandDims(tf.eye(n), 0);
 * const s = tf.mul(h, tf.reshape(tf.linspace(2, -3, n), [1, n, 1]));
 * const parameters = { wv: tf.mul(tf.eye(n), 2), wg: tf.mul(tf.eye(n), 2), ws: tf.eye(n), wh: tf.fill([n], -3) };
 * const { weights, beta } = visualSentinel(h, h, s, parameters, { weights: true });
 * return tf.concat([tf.mul(weights, tf.sub(1, beta)), beta], 2);
 * @example
 * const [wv, wg, ws] = [tf.randomNormal([7, 6]), tf.randomNormal([4, 6]), tf.randomNormal([7, 6])];
 * const s = tf.randomNormal([2, 3, 7]);
 * const { output, beta } = visualSentinel(queries, values, s, { wv, wg, ws, wh: tf.randomNormal([6]) });
 * output.shape; // [2, 3, 7]
 * beta.shape; // [2, 3, 1]
 */
export function visualSentinel<const O extends VisualSentinelOptions>(
  h: tf.Tensor3D,
  v: tf.Tensor3D,
  s: tf.Tensor3D,
  { wv, wg, ws, wh }: VisualSentinelParameters,
  options: O = {} as O,
): VisualSentinelResult<O> {
  const op = "visualSentinel";
  const sizes = checkInputs(op, h, v, s);
  const { B, T } = sizes;
  const A = wh.shape[0];
  const remedy = "make it for these inputs and for wh [A]";
  checkParameter(op, { name: "wv [C, A]", shape: wv.shape }, [v.shape[2], A], remedy);
  checkParameter(op, { name: "wg [Dq, A]", shape: wg.shape }, [h.shape[2], A], remedy);
  checkParameter(op, { name: "ws [C, A]", shape: ws.shape }, [v.shape[2], A], remedy);
  return tidyAsked((): VisualSentinelResult<VisualSentinelOptions> => {
    const { weights: wanted, finite, dropout, training, ...mask }: VisualSentinelOptions = options;
    const given = { ...singleHeadMask(op, sizes, mask), dropout, training, scale: 1 };
    const program = compileProgram(op, { ...sizes, H: 1, Hkv: 1, D: A }, given);
    const tensors = {
      query: linear(h, wg),
      key: project(program, v, (x) => linear(x, wv), finite),
      v: wh,
      value: v,
    };
    const {
      output: c,
      lse,
      weights,
    } = runAdditiveProgram(program, tensors, { weights: wanted, lse: true, finite });
    // Query by query its own sentinel: T·B pairs of one query and one key.
    const pairs = (x: tf.Tensor3D) => tf.reshape<tf.Rank.R3>(x, [B * T, 1, A]);
    const own = tf.reshape(hiddenScore(pairs(tensors.query), pairs(linear(s, ws)), wh), [B, T, 1]);
    // Where no feature is seen lse is −∞ and β is 1.
    const beta = tf.sigmoid(tf.sub<tf.Tensor3D>(own, tf.reshape(lse!, [B, T, 1])));
    const output = tf.add<tf.Tensor3D>(tf.mul(beta, s), tf.mul(tf.sub(1, beta), c));
    return { output, beta, ...(weights && { weights }) };
  });
}

/** The sizes of h [B, T, Dq], v [B, S, C] and s [B, T, C]. */
function checkInputs(op: string, h: tf.Tensor3D, v: tf.Tensor3D, s: tf.Tensor3D) {
  const names = { h: "h [B, T, Dq]", v: "v [B, S, C]", s: "s [B, T, C]" };
  checkRank(op, names.h, h, 3);
  checkRank(op, names.v, v, 3);
  checkRank(op, names.s, s, 3);
  checkSame(op, "B", { name: names.h, array: h, axis: 0 }, { name: names.v, array: v, axis: 0 });
  checkSame(op, "B", { name: names.h, array: h, axis: 0 }, { name: names.s, array: s, axis: 0 });
  checkSame(op, "T", { name: names.h, array: h, axis: 1 }, { name: names.s, array: s, axis: 1 });
  checkSame(op, "C", { name: names.v, array: v, axis: 2 }, { name: names.s, array: s, axis: 2 });
  const [B, T] = h.shape;
  const [, S, Dv] = v.shape;
  return { B, T, S, Dv };
}
