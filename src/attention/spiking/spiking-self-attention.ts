import * as tf from "@tensorflow/tfjs-core";
import { checkOptionNames, type OptionNames } from "../../core/check-options.ts";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { checkRank } from "../../core/shapes.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkMultiHead, type MultiHeadParameters } from "../sequence/multi-head-check.ts";
import { fromHeads, toHeads } from "../sequence/project.ts";
import { checkSpikes, checkTimeSteps } from "./check.ts";
import { checkNeuron, leakyIntegrateAndFire, type NeuronOptions } from "./leaky-integrate-and-fire.ts";
import { attendSpikes, SPIKING_SCALE, type SpikingAttentionOptions } from "./spiking-attention.ts";

export interface SpikingSelfAttentionOptions extends SpikingAttentionOptions, NeuronOptions {
  /** θ of the neurons that what was read passes through. @default 0.5, as in Spikformer */
  readThreshold?: number;
  /** Return the spikes q, k and v, [N·B, H or Hkv, T, D or Dv], as `spikingOperations` counts them. @default false */
  spikes?: boolean;
}

const NAMES: OptionNames<SpikingSelfAttentionOptions> = {
  ...{ scale: true, allow: true, causal: true, queryOffset: true, window: true },
  ...{ queryLengths: true, keyLengths: true, weights: true, readThreshold: true, spikes: true },
  ...{ tau: true, threshold: true, reset: true, detachReset: true, surrogate: true, alpha: true },
};

/** Spikes of all time steps, folded into the batch. */
export interface ProjectedSpikes {
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  v: tf.Tensor4D;
}

export type SpikingSelfAttentionResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor5D> &
  Asked<O, "spikes", ProjectedSpikes>;

/**
 * Spiking self-attention: every position of a sequence of spikes reads the others, with spikes.
 *
 *     q = SN(x·Wq + bq),  k = SN(x·Wk + bk),  v = SN(x·Wv + bv)
 *     output = SN(q kᵀ v · s)·Wo + bo
 *
 * Symbols: x spikes, SN the neurons of `leakyIntegrateAndFire`, which remember over the time steps, s the scale, N time
 * steps. Shapes: x [N, B, T, C], wq [C, H, D], wk [C, Hkv, D], wv [C, Hkv, Dv], wo [H, Dv, Cout] → output
 * [N, B, T, Cout] (without wo [N, B, T, H·Dv]), weights [N, B, H, T, T].
 * Conventions: at each time step the positions see each other at that step alone; what came before is in the potentials.
 * The output is a current: give it to the next neurons, or add it to those of a residual branch first, as Spikingformer
 * does, so that each product has spikes on one side and needs no multiplication. The paper normalises each projection by
 * batch, which becomes part of W and b when training is over. Masks as in `spikingAttention`, lengths are one for each
 * example. The gradient is the surrogate of `spike`, not the true one.
 * Cost: four products of `linear` and one `spikingAttention` a time step.
 * Papers: Zhou et al. 2022 (Spikformer), §3.3, arxiv.org/abs/2209.15425; residual currents: Zhou et al. 2023
 * (Spikingformer), arxiv.org/abs/2304.11954.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE, HEADS · OptionError DTYPE when x is not of spikes, OPTION · and what
 *   `compileProgram` throws
 * @draws
 * // Twelve positions of four kinds fire at their own rate; four of eight steps.
 * const kinds = tf.cast(tf.oneHot(tf.tensor1d([0, 1, 2, 0, 3, 1, 0, 2, 3, 3, 1, 0], "int32"), 4), "float32");
 * const often = tf.less(tf.randomUniform([8, 1, 12, 4], 0, 1, "float32", 3), 0.7);
 * const x = tf.mul(tf.cast(often, "float32"), kinds);
 * const w = tf.reshape(tf.mul(tf.eye(4), 3), [4, 1, 4]);
 * const { weights } = spikingSelfAttention(x, { wq: w, wk: w, wv: w }, { scale: 1, weights: true });
 * return tf.squeeze(tf.slice(weights, 0, [4, 1, 1, 12, 12]));
 * @example
 * const x = tf.cast(tf.greater(tf.randomNormal([6, 2, 3, 4], 0, 1, "float32", 1), 0), "float32");
 * const w = (seed, ...shape) => tf.randomNormal(shape, 0, 1, "float32", seed);
 * const parameters = { wq: w(2, 4, 2, 3), wk: w(3, 4, 2, 3), wv: w(4, 4, 2, 3), wo: w(5, 2, 3, 4) };
 * const { output, weights } = spikingSelfAttention(x, parameters, { weights: true });
 * output.shape; // [6, 2, 3, 4]
 * weights.shape; // [6, 2, 2, 3, 3]
 */
export function spikingSelfAttention<const O extends SpikingSelfAttentionOptions>(
  x: tf.Tensor4D,
  parameters: MultiHeadParameters,
  options: O = {} as O,
): SpikingSelfAttentionResult<O> {
  const op = "spikingSelfAttention";
  const { weights: wanted = false, spikes, ...given }: SpikingSelfAttentionOptions = options;
  checkRank(op, "x [N, B, T, C]", x, 4);
  checkTimeSteps(op, "x [N, B, T, C]", x);
  const [N, B, T, C] = x.shape;
  const folded = { shape: [N * B, T, C] as [number, number, number], dtype: x.dtype };
  const shapes = checkMultiHead(op, { query: folded, key: folded, value: folded }, parameters);
  const neuron = checkNeuron(op, given);
  const { readThreshold = 0.5 } = given;
  const reading = checkNeuron(op, { ...neuron, threshold: readThreshold }, "readThreshold");
  const masks = { scale: SPIKING_SCALE, ...given };
  checkOptionNames(op, options, NAMES);
  compileProgram(op, { ...shapes, B }, masks, NAMES);
  checkSpikes(op, "x", x);
  const { wq, bq, wk, bk, wv, bv, wo, bo } = parameters;
  const fire = <X extends tf.Tensor>(current: X, own = neuron) =>
    tf.reshape(
      leakyIntegrateAndFire(tf.reshape(current, [N, current.size / N]), own).spikes,
      current.shape,
    ) as X;
  return tidyAsked((): SpikingSelfAttentionResult<SpikingSelfAttentionOptions> => {
    const program = compileProgram(op, shapes, everyStep(masks, N, B), NAMES);
    const rows = tf.reshape<tf.Rank.R3>(x, folded.shape);
    const heads = (w: tf.Tensor3D, b: tf.Tensor2D | undefined) =>
      tf.transpose<tf.Tensor4D>(fire(toHeads(rows, w, b)), [0, 2, 1, 3]);
    const projected = { q: heads(wq, bq), k: heads(wk, bk), v: heads(wv, bv) };
    const read = attendSpikes(program, projected, wanted);
    const output = fromHeads(tf.transpose(fire(read.output, reading), [0, 2, 1, 3]), wo, bo);
    return {
      output: tf.reshape(output, [N, B, T, output.shape[2]]),
      ...(read.weights && { weights: tf.reshape(read.weights, [N, B, shapes.H, T, T]) }),
      ...(spikes && { spikes: projected }),
    };
  });
}

/** Masks of B examples for N time steps of them. */
function everyStep(masks: ProgramOptions<tf.Tensor>, N: number, B: number): ProgramOptions<tf.Tensor> {
  const { allow, queryLengths, keyLengths } = masks;
  const repeated = (lengths: ArrayLike<number>) =>
    Int32Array.from({ length: N * B }, (_, at) => lengths[at % B]!);
  return {
    ...masks,
    ...(allow?.rank === 4 && allow.shape[0] === B && { allow: tf.tile(allow, [N, 1, 1, 1]) }),
    ...(queryLengths && { queryLengths: repeated(queryLengths) }),
    ...(keyLengths && { keyLengths: repeated(keyLengths) }),
  };
}
