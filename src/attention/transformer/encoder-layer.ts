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
} from "./block.ts";

export interface TransformerEncoderParameters {
  /** Self-attention; wq, wk and wv [C, …], wo [H, Dv, C]. */
  selfAttention: MultiHeadParameters;
  selfNorm: NormParameters;
  feedForward: FeedForwardParameters;
  feedForwardNorm: NormParameters;
}

export interface TransformerEncoderOptions extends BlockOptions {
  /** What positions see of each other. @default everything */
  mask?: TransformerMask;
  /** Return the weights [B, H, T, T], before dropout. @default false */
  weights?: boolean;
}

export type TransformerEncoderResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * Transformer encoder layer: every position reads the others, then thinks for itself; each time it adds what it found.
 *
 *     y = norm(x + selfAttention(x)),    output = norm(y + feedForward(y))              as in the paper
 *     y = x + selfAttention(norm(x)),    output = y + feedForward(norm(y))              with `preNorm`
 *     feedForward(y) = activation(y·w1 + b1)·w2 + b2
 *
 * Symbols: F the width between the feed-forward maps; one norm for each sublayer.
 * Shapes: x [B, T, C], w1 [C, F], w2 [F, C] → output [B, T, C], weights [B, H, T, T].
 * Conventions: PyTorch's `TransformerEncoderLayer`, whose parameters `fromTorchEncoderLayer` reads: dropout on attention's
 * weights, between the feed-forward maps and on what each sublayer adds. `mask` is that of `multiHeadAttention`, true =
 * attend. A position that sees nothing gets the bias bo from attention.
 * Cost: O(B·T·C·(C + T + F)). With H·D = C, 8·B·T·C² flops of projections, 4·B·T²·C of attention and 4·B·T·C·F of
 * feed-forward.
 * Papers: Vaswani et al. 2017, §3.1, arxiv.org/abs/1706.03762; pre-norm: Xiong et al. 2020, arxiv.org/abs/2002.04745.
 *
 * @throws ShapeError RANK, SHAPE, DIMENSION · OptionError OPTION · and what `multiHeadAttention` throws
 * @draws
 * // The weights of four heads, each sharper than the one before: eight positions that look like their neighbours.
 * const at = tf.range(0, 8);
 * const x = tf.expandDims(tf.stack([tf.cos(tf.mul(at, 0.8)), tf.sin(tf.mul(at, 0.8))], 1), 0);
 * const sharp = tf.stack([0.2, 1, 3, 9].map((s) => tf.mul(tf.eye(2), s)), 1);
 * const plain = tf.stack([1, 1, 1, 1].map(() => tf.eye(2)), 1);
 * const selfAttention = { wq: sharp, wk: plain, wv: plain, wo: tf.zeros([4, 2, 2]) };
 * const feedForward = { w1: tf.zeros([2, 3]), w2: tf.zeros([3, 2]) };
 * const parameters = { selfAttention, selfNorm: {}, feedForward, feedForwardNorm: {} };
 * return tf.squeeze(transformerEncoderLayer(x, parameters, { weights: true }).weights, [0]);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3, "float32", 1);
 * const parameters = {
 *   selfAttention: { wq: w(4, 2, 3), wk: w(4, 2, 3), wv: w(4, 2, 3), wo: w(2, 3, 4) },
 *   selfNorm: { gamma: tf.ones([4]), beta: tf.zeros([4]) },
 *   feedForward: { w1: w(4, 8), w2: w(8, 4) },
 *   feedForwardNorm: { gamma: tf.ones([4]), beta: tf.zeros([4]) },
 * };
 * const { output } = transformerEncoderLayer(queries, parameters, { activation: "gelu", mask: { keyLengths: [2, 3] } });
 * output.shape; // [2, 3, 4]
 */
export function transformerEncoderLayer<const O extends TransformerEncoderOptions>(
  x: tf.Tensor3D,
  parameters: TransformerEncoderParameters,
  options: O = {} as O,
): TransformerEncoderResult<O> {
  const op = "transformerEncoderLayer";
  const { selfAttention, selfNorm, feedForward, feedForwardNorm } = parameters;
  checkBlock(op, x, { selfAttention }, feedForward);
  const { sublayer, feedForward: think, attentionDropout } = block(op, options);
  const { mask, weights: wanted } = options;
  return tidyAsked((): TransformerEncoderResult<TransformerEncoderOptions> => {
    let weights: tf.Tensor4D | undefined;
    const seen = sublayer(x, selfNorm, (query) => {
      const given = { ...mask, ...attentionDropout(), weights: wanted };
      const result = multiHeadAttention({ query }, selfAttention, given, op);
      weights = result.weights;
      return result.output;
    });
    const output = sublayer(seen, feedForwardNorm, (y) => think(y, feedForward));
    return { output, ...(weights && { weights }) };
  });
}
