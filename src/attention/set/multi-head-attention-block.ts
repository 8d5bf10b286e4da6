import type * as tf from "@tensorflow/tfjs-core";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { type MultiHeadParameters, multiHeadAttention } from "../sequence/multi-head.ts";
import {
  type BlockOptions,
  block,
  checkBlock,
  type FeedForwardParameters,
  type NormParameters,
  type TransformerMask,
} from "../transformer/block.ts";

export interface MultiHeadAttentionBlockParameters {
  /** wq [C, H, D], wk and wv [Cy, …], wo [H, Dv, C]. */
  attention: MultiHeadParameters;
  attentionNorm: NormParameters;
  feedForward: FeedForwardParameters;
  feedForwardNorm: NormParameters;
}

export interface MultiHeadAttentionBlockOptions extends BlockOptions {
  /** What elements of x see of y. @default everything */
  mask?: TransformerMask;
  /** Return the weights [B, H, T, S], before dropout. @default false */
  weights?: boolean;
}

export type MultiHeadAttentionBlockResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * Multi-head attention block (MAB): every element of one set reads another set, then thinks for itself.
 *
 *     h = norm(x + multiHeadAttention(x, y, y)),    output = norm(h + feedForward(h))
 *
 * Symbols: x and y sets; F the width between the feed-forward maps.
 * Shapes: x [B, T, C], y [B, S, Cy], w1 [C, F], w2 [F, C] → output [B, T, C], weights [B, H, T, S].
 * Conventions: the order of y does not matter, and permuting x permutes the output. y = x is the paper's set attention
 * block (SAB), which is `transformerEncoderLayer`. With `preNorm` the norms stand before the sublayers, and y has none.
 * The paper's feed-forward is one map with ReLU, this one the two of a Transformer. Masks are those of `multiHeadAttention`.
 * Cost: O(B·T·C·(C + S + F) + B·S·Cy·C). Paper: Lee et al. 2018 (Set Transformer), §3.1, eq. 6 and 7,
 * arxiv.org/abs/1810.00825.
 *
 * @throws ShapeError RANK, SHAPE, DIMENSION · OptionError OPTION · and what `multiHeadAttention` throws
 * @draws
 * // Six elements read a set of 24: each those that are near it.
 * const on = (n) => tf.stack([tf.cos(tf.linspace(0, 6, n)), tf.sin(tf.linspace(0, 6, n))], 1);
 * const [x, y] = [6, 24].map((n) => tf.expandDims(on(n), 0));
 * const w = tf.expandDims(tf.mul(tf.eye(2), 3), 1);
 * const attention = { wq: w, wk: w, wv: w, wo: tf.zeros([1, 2, 2]) };
 * const feedForward = { w1: tf.zeros([2, 3]), w2: tf.zeros([3, 2]) };
 * const parameters = { attention, attentionNorm: {}, feedForward, feedForwardNorm: {} };
 * return tf.squeeze(multiHeadAttentionBlock(x, y, parameters, { weights: true }).weights, [0, 1]);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const parameters = {
 *   attention: { wq: w(4, 2, 3), wk: w(7, 2, 3), wv: w(7, 2, 3), wo: w(2, 3, 4) },
 *   ...{ attentionNorm: {}, feedForward: { w1: w(4, 8), w2: w(8, 4) }, feedForwardNorm: {} },
 * };
 * multiHeadAttentionBlock(queries, values, parameters, { mask: { keyLengths: [3, 5] } }).output.shape; // [2, 3, 4]
 * @param op the name that errors give, for mechanisms that are made of this
 */
export function multiHeadAttentionBlock<const O extends MultiHeadAttentionBlockOptions>(
  x: tf.Tensor3D,
  y: tf.Tensor3D,
  parameters: MultiHeadAttentionBlockParameters,
  options: O = {} as O,
  op = "multiHeadAttentionBlock",
): MultiHeadAttentionBlockResult<O> {
  const { attention, attentionNorm, feedForward, feedForwardNorm } = parameters;
  checkBlock(op, x, { attention }, feedForward);
  const { sublayer, feedForward: think, attentionDropout } = block(op, options);
  const { mask, weights: wanted }: MultiHeadAttentionBlockOptions = options;
  return tidyAsked((): MultiHeadAttentionBlockResult<MultiHeadAttentionBlockOptions> => {
    let weights: tf.Tensor4D | undefined;
    const h = sublayer(x, attentionNorm, (query) => {
      const given = { ...mask, ...attentionDropout(), weights: wanted };
      const read = multiHeadAttention({ query, value: y }, attention, given, op);
      weights = read.weights;
      return read.output;
    });
    const output = sublayer(h, feedForwardNorm, (t) => think(t, feedForward));
    return { output, ...(weights && { weights }) };
  });
}
