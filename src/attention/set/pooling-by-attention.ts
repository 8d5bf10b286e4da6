import * as tf from "@tensorflow/tfjs-core";
import { checkRank } from "../../core/shapes.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import type { KeyMask } from "../sequence/key-mask.ts";
import { type BlockOptions, block, checkBlock, type FeedForwardParameters } from "../transformer/block.ts";
import { elementMask, presentElements } from "./element-mask.ts";
import {
  type MultiHeadAttentionBlockParameters,
  multiHeadAttentionBlock,
} from "./multi-head-attention-block.ts";

export interface PoolingByAttentionParameters {
  /** What is looked for, the same for all examples, [T, C]; learned. */
  seeds: tf.Tensor2D;
  /** The maps of the set before it is read; w2 […, C]. */
  feedForward: FeedForwardParameters;
  /** The block by which the seeds read the set. */
  block: MultiHeadAttentionBlockParameters;
}

export interface PoolingByAttentionOptions extends Omit<BlockOptions, "dropout" | "training">, KeyMask {
  /** Return the weights [B, H, T, S]. @default false */
  weights?: boolean;
}

export type PoolingByAttentionResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * Pooling by multi-head attention (PMA): a set of any size becomes T vectors, one for each learned seed.
 *
 *     output = MAB(seeds, feedForward(x))
 *
 * Symbols: MAB `multiHeadAttentionBlock`; the paper's S of k seed vectors are `seeds`, T of them.
 * Shapes: x [B, S, C], seeds [T, C] → output [B, T, C], weights [B, H, T, S].
 * Conventions: the order of the set does not matter, to rounding. `allow` is bool [S] or [B, S], true for elements that are
 * there; what stands in the place of the others reaches nothing. `multiHeadPooling` is the attention in it alone.
 * Cost: O(B·S·C·(C + F) + B·T·S·C). Paper: Lee et al. 2018 (Set Transformer), §3.2, eq. 11, arxiv.org/abs/1810.00825.
 *
 * @throws ShapeError RANK, SHAPE, DIMENSION · OptionError OPTION · and what `multiHeadAttention` throws
 * @draws
 * // Three seeds and 24 elements around a circle, of which the last six are not there.
 * const around = (n) => tf.stack([tf.cos(tf.linspace(0, 6, n)), tf.sin(tf.linspace(0, 6, n))], 1);
 * const w = tf.expandDims(tf.mul(tf.eye(2), 2), 1);
 * const attention = { wq: w, wk: w, wv: w, wo: tf.zeros([1, 2, 2]) };
 * const same = { w1: tf.concat([tf.eye(2), tf.neg(tf.eye(2))], 1), w2: tf.concat([tf.eye(2), tf.neg(tf.eye(2))], 0) };
 * const block = { attention, attentionNorm: {}, feedForward: same, feedForwardNorm: {} };
 * const allow = tf.less(tf.range(0, 24), 18);
 * const parameters = { seeds: around(3), feedForward: same, block };
 * return tf.squeeze(poolingByAttention(tf.expandDims(around(24), 0), parameters, { allow, weights: true }).weights, [0, 1]);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const feedForward = { w1: w(7, 8), w2: w(8, 7) };
 * const attention = { wq: w(7, 2, 3), wk: w(7, 2, 3), wv: w(7, 2, 3), wo: w(2, 3, 7) };
 * const block = { attention, attentionNorm: {}, feedForward, feedForwardNorm: {} };
 * poolingByAttention(values, { seeds: w(2, 7), feedForward, block }).output.shape; // [2, 2, 7]
 */
export function poolingByAttention<const O extends PoolingByAttentionOptions>(
  x: tf.Tensor3D,
  { seeds, feedForward, block: reading }: PoolingByAttentionParameters,
  options: O = {} as O,
): PoolingByAttentionResult<O> {
  const op = "poolingByAttention";
  const { allow, weights, ...given }: PoolingByAttentionOptions = options;
  checkBlock(op, x, {}, feedForward);
  checkRank(op, "seeds [T, C]", seeds, 2);
  const [B, S] = x.shape;
  const [T, C] = seeds.shape;
  const { feedForward: think } = block(op, given);
  return tidyAsked((): PoolingByAttentionResult<PoolingByAttentionOptions> => {
    const there = elementMask(op, { ...(allow && { allow }) }, B, S);
    const set = think(presentElements(x, there), feedForward);
    const asked = tf.broadcastTo(tf.expandDims(seeds, 0), [B, T, C]) as tf.Tensor3D;
    const mask = there && { mask: { allow: tf.expandDims(tf.expandDims(there, 1), 1) } };
    return multiHeadAttentionBlock(asked, set, reading, { ...given, ...mask, weights }, op);
  });
}
