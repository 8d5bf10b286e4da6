import * as tf from "@tensorflow/tfjs-core";
import { type AttentionProgram, compileProgram, type ProgramOptions } from "../../core/program.ts";
import { RandomStream } from "../../core/random.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { aggregate, dotScores, weigh } from "../../ops/attention/composed.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { float } from "../../ops/registry.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { bestKey } from "../normalize/best-key.ts";
import { sampleCategorical } from "./categorical.ts";
import { checkDraw, checkKeys, checkShare, type RandomDraw } from "./check.ts";

export interface SampledAttentionOptions
  extends Omit<ProgramOptions<tf.Tensor>, "dropout" | "sink" | "onEmptyRow">,
    Partial<RandomDraw> {
  /** Draw a key for each query; else the best is taken. Needs `seed`. @default false */
  training?: boolean;
  /**
   * The share of examples that read the mean of the values in place of a draw, in training; 0.5 in Show, Attend and
   * Tell, where it lowers the variance. From 0 to 1. @default 0
   */
  meanShare?: number;
  /** Return the weights too where nothing is drawn; in training they always are. @default false */
  weights?: boolean;
  /** Promise that q, k and v hold finite numbers even in hidden places. @default false */
  finite?: boolean;
}

/**
 * `output` [B, H, T, Dv], and `index`, the key read by each query, int32 [B, H, T]: −1 where none was, in an empty row
 * or where the mean was read. `weights` [B, H, T, S] is what keys are drawn from; gradients reach q and k through it.
 */
export type SampledAttentionResult<O> = { output: tf.Tensor4D; index: tf.Tensor3D } & (O extends
  | { training: true }
  | { weights: true }
  ? { weights: tf.Tensor4D }
  : { weights?: tf.Tensor4D });

/** Streams of random numbers beside the one that keys are drawn from. */
const MEAN_STREAM = 2 ** 32;

/**
 * Sampled (stochastic hard) attention: every query reads exactly one value, drawn as its weights say.
 *
 *     α_t = softmax_s(scale · q_t·k_s + bias_ts),    s_t ~ Categorical(α_t),    out_t = v_{s_t}
 *     not training:  s_t = argmax_s α_ts
 *
 * Symbols: q queries, k keys, v values, α weights, s_t the key drawn by query t; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], index [B, H, T],
 * weights [B, H, T, S]; H a multiple of Hkv.
 * Conventions: masks are those of the attention program (core/program.ts). An output is one row of v, bit for bit; of
 * equal scores the first wins at inference. A row without a visible key gives 0 and the index −1. NaN in hidden places
 * leaks nowhere. Draws are a function of seed and stream, query by query. The output has a gradient for v only: q and
 * k learn through `weights`, with `scoreFunctionLoss(logProbability(weights, index), reward)`. With `meanShare` that
 * share of the examples reads Σ_s α_ts v_s instead, has the index −1 and the gradients of soft attention.
 * Cost: O(B·H·T·S·D) time, O(B·H·T·S) memory; the values cost O(B·H·T·Dv).
 * Papers: Xu et al. 2015, §4.1, arxiv.org/abs/1502.03044; Mnih et al. 2014, arxiv.org/abs/1406.6247.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE when there are no keys · OptionError OPTION for a bad seed (or
 *   none in training), stream or meanShare · and what `compileProgram` throws
 * @draws
 * const place = tf.linspace(-2, 2, 12);
 * const q = tf.ones([1, 1, 16, 1]);
 * const k = tf.reshape(tf.neg(tf.square(place)), [1, 1, 12, 1]);
 * const { index } = sampledAttention(q, k, tf.zeros([1, 1, 12, 1]), { training: true, seed: 3 });
 * return tf.oneHot(tf.reshape(index, [16]), 12);
 * @example
 * const { output, index, weights } = sampledAttention(q, k, v, { training: true, seed: 7, causal: true });
 * const reward = tf.ones([2]); // one for each example
 * scoreFunctionLoss(logProbability(weights, index), reward);
 */
export function sampledAttention<const O extends SampledAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): SampledAttentionResult<O> {
  const op = "sampledAttention";
  const {
    training = false,
    seed,
    stream,
    meanShare = 0,
    weights: wanted,
    finite,
    ...given
  }: SampledAttentionOptions = options;
  const sizes = attentionShapes(op, q, k, v);
  checkKeys(op, "k [B, Hkv, S, D]", sizes.S);
  checkShare(op, "meanShare", meanShare);
  const draw = training ? checkDraw(op, { seed, stream }) : undefined;
  const program = compileProgram(op, sizes, given);
  return tidyAsked((): SampledAttentionResult<SampledAttentionOptions> => {
    const value = float(v);
    // The best key needs no weights.
    const normalize = draw || wanted ? softmax : <X>(scores: X) => scores;
    const { masked, weights, seen } = weigh(program, {
      score: (clean) => dotScores(program, clean(float(q)), clean(float(k))),
      inputs: [q, k],
      normalize,
      finite,
    });
    const shares = weights as tf.Tensor4D;
    const index = draw ? sampleCategorical(weights, draw) : bestKey(masked);
    const output = valuesAt(program, value, index) as tf.Tensor4D;
    if (!draw || meanShare === 0) {
      return { output, index: index as tf.Tensor3D, ...((draw || wanted) && { weights: shares }) };
    }
    const means = meanExamples(sizes.B, meanShare, draw);
    const mean = aggregate(program, weights, value, seen, v) as tf.Tensor4D;
    const none = tf.fill<tf.Rank>(index.shape, -1, "int32");
    return {
      output: tf.where(means, mean, output),
      index: tf.where(tf.reshape(means, [sizes.B, 1, 1]), none, index) as tf.Tensor3D,
      weights: shares,
    };
  });
}

/** The rows of v [B, Hkv, S, Dv] that index [B, H, T] names; zeros for −1. */
function valuesAt({ shapes }: AttentionProgram, v: tf.Tensor, index: tf.Tensor): tf.Tensor {
  const { B, H, Hkv, S, Dv } = shapes;
  const first = Int32Array.from({ length: B * H }, (_, bh) => {
    const [b, h] = [Math.floor(bh / H), bh % H];
    return (b * Hkv + Math.floor((h * Hkv) / H)) * S;
  });
  const none = tf.less(index, 0);
  const row = tf.add(
    tf.mul(index, tf.cast(tf.logicalNot(none), "int32")),
    tf.tensor(first, [B, H, 1], "int32"),
  );
  const picked = tf.gather(tf.reshape(v, [B * Hkv * S, Dv]), row);
  return tf.where(tf.expandDims(none, -1), tf.zerosLike(picked), picked);
}

/** Which examples read the mean, bool [B, 1, 1, 1]. */
function meanExamples(B: number, meanShare: number, { seed, stream }: Required<RandomDraw>): tf.Tensor {
  const random = new RandomStream(seed, stream + MEAN_STREAM);
  const chosen = Uint8Array.from({ length: B }, () => (random.uniform() < meanShare ? 1 : 0));
  return tf.tensor(chosen, [B, 1, 1, 1], "bool");
}
