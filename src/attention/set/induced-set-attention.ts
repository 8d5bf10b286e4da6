import * as tf from "@tensorflow/tfjs-core";
import { checkRank } from "../../core/shapes.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import type { KeyMask } from "../sequence/key-mask.ts";
import type { BlockOptions } from "../transformer/block.ts";
import { elementMask, presentElements } from "./element-mask.ts";
import {
  type MultiHeadAttentionBlockParameters,
  multiHeadAttentionBlock,
} from "./multi-head-attention-block.ts";

export interface InducedSetAttentionParameters {
  /** What reads the set, the same for all examples, [M, C]; learned. */
  inducingPoints: tf.Tensor2D;
  /** The block by which inducing points read the set. */
  gather: MultiHeadAttentionBlockParameters;
  /** The block by which the elements of the set read what was gathered. */
  scatter: MultiHeadAttentionBlockParameters;
}

export interface InducedSetAttentionOptions extends Omit<BlockOptions, "dropout" | "training">, KeyMask {
  /** Return the weights of both blocks. @default false */
  weights?: boolean;
}

export interface InducedWeights {
  /** [B, H, M, S] */
  readonly gather: tf.Tensor4D;
  /** [B, H, S, M] */
  readonly scatter: tf.Tensor4D;
}

export type InducedSetAttentionResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", InducedWeights>;

/**
 * Induced set attention (ISAB): the elements of a set read each other through a few inducing points.
 *
 *     h = MAB(I, x),    output = MAB(x, h)
 *
 * Symbols: I `inducingPoints`, M of them, learned; MAB `multiHeadAttentionBlock`; the paper's n and m are S and M.
 * Shapes: x [B, S, C], inducingPoints [M, C] → output [B, S, C], weights { gather [B, H, M, S], scatter [B, H, S, M] }.
 * Conventions: permuting the set permutes the output, for there are no positions. `allow` is bool [S] or [B, S], true for
 * elements that are there: the others reach no output and no gradient, and their own output is 0. Where none is there, all
 * of it is 0.
 * Cost: O(B·S·M·C + B·(S + M)·C·(C + F)): it grows with S, where set attention grows with S².
 * Paper: Lee et al. 2018 (Set Transformer), §3.1, eq. 9 and 10, arxiv.org/abs/1810.00825.
 *
 * @throws ShapeError RANK, SHAPE, DIMENSION · OptionError OPTION · and what `multiHeadAttention` throws
 * @draws
 * // Four inducing points between 20 elements: how elements read elements through them, of rank 4.
 * const around = (n) => tf.stack([tf.cos(tf.linspace(0, 6, n)), tf.sin(tf.linspace(0, 6, n))], 1);
 * const w = tf.expandDims(tf.mul(tf.eye(2), 2), 1);
 * const attention = { wq: w, wk: w, wv: w, wo: tf.zeros([1, 2, 2]) };
 * const feedForward = { w1: tf.zeros([2, 3]), w2: tf.zeros([3, 2]) };
 * const block = { attention, attentionNorm: {}, feedForward, feedForwardNorm: {} };
 * const parameters = { inducingPoints: around(4), gather: block, scatter: block };
 * const { weights } = inducedSetAttention(tf.expandDims(around(20), 0), parameters, { weights: true, preNorm: true });
 * return tf.squeeze(tf.matMul(weights.scatter, weights.gather), [0, 1]);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const block = () => ({
 *   attention: { wq: w(7, 2, 3), wk: w(7, 2, 3), wv: w(7, 2, 3), wo: w(2, 3, 7) },
 *   ...{ attentionNorm: {}, feedForward: { w1: w(7, 8), w2: w(8, 7) }, feedForwardNorm: {} },
 * });
 * const parameters = { inducingPoints: w(3, 7), gather: block(), scatter: block() };
 * const { output } = inducedSetAttention(values, parameters);
 * const turned = inducedSetAttention(tf.reverse(values, 1), parameters).output;
 * tf.less(tf.max(tf.abs(tf.sub(tf.reverse(output, 1), turned))), 1e-5); // 1
 */
export function inducedSetAttention<const O extends InducedSetAttentionOptions>(
  x: tf.Tensor3D,
  { inducingPoints, gather, scatter }: InducedSetAttentionParameters,
  options: O = {} as O,
): InducedSetAttentionResult<O> {
  const op = "inducedSetAttention";
  const { allow, weights: wanted, ...given }: InducedSetAttentionOptions = options;
  checkRank(op, "x [B, S, C]", x, 3);
  checkRank(op, "inducingPoints [M, C]", inducingPoints, 2);
  const [B, S] = x.shape;
  const [M, C] = inducingPoints.shape;
  return tidyAsked((): InducedSetAttentionResult<InducedSetAttentionOptions> => {
    const there = elementMask(op, { ...(allow && { allow }) }, B, S);
    const present = presentElements(x, there);
    const points = tf.broadcastTo(tf.expandDims(inducingPoints, 0), [B, M, C]) as tf.Tensor3D;
    const mask = there && { mask: { allow: tf.expandDims(tf.expandDims(there, 1), 1) } };
    const gathered = multiHeadAttentionBlock(
      points,
      present,
      gather,
      { ...given, ...mask, weights: wanted },
      op,
    );
    const read = multiHeadAttentionBlock(
      present,
      gathered.output,
      scatter,
      { ...given, weights: wanted },
      op,
    );
    return {
      output: presentElements(read.output, there),
      ...(wanted && { weights: { gather: gathered.weights!, scatter: read.weights! } }),
    };
  });
}
