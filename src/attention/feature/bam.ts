import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";
import { type BottleneckParameters, bottleneck, checkBottleneck } from "./bottleneck.ts";
import { imageSizes } from "./check.ts";
import { type ConvolutionParameters, checkConvolution, convolve } from "./convolution.ts";
import { gated } from "./gated.ts";
import { expectedNorm, type Norm, normalized } from "./norm.ts";

export interface BamParameters {
  /** With the normalisation [C] that ends the branch. */
  channel: BottleneckParameters & { norm?: Norm };
  spatial: {
    /** 1×1, from C channels to R. */
    reduce: ConvolutionParameters;
    /** R to R, dilated; two in the paper, 3×3. */
    context: readonly ConvolutionParameters[];
    /** 1×1, from R channels to one, with the normalisation that ends the branch. */
    project: ConvolutionParameters;
  };
}

export interface BamOptions {
  /** Of the context convolutions. @default 4 */
  dilation?: number;
}

/**
 * BAM, the bottleneck attention module: what matters and where, side by side, as one map of pixels and channels.
 *
 *     m = σ(m_c + m_s),    out = x + x ⊙ m
 *     m_c = norm(W₂ relu(W₁ mean_hw x + b₁) + b₂),    m_s = norm(f₃(f₂(f₁(f₀(x)))))
 *
 * Symbols: x images, m the map, m_c one number a channel, m_s one a pixel; f₀ narrows C to R channels, f₁ and f₂ are
 * 3×3 and dilated, f₃ leaves one channel; relu stands between them.
 * Shapes: x [B, H, W, C] → output and map [B, H, W, C]; W₁ [C, R], W₂ [R, C], filters [height, width, in, out].
 * Conventions: the paper's sum; its code multiplies m_c and m_s instead, and normalises each layer, as `norm` of each
 * convolution can. `norm` is folded into a scale and a shift, or a function. Zeros around the image.
 * Cost: O(B·H·W·(C·R + 9·R²)) and O(B·H·W·C) for the map. Paper: Park et al. 2018, §3, arxiv.org/abs/1807.06514.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 576 }, (_, e) => +(Math.abs(Math.floor(e / 24) - 12) < 5 && Math.abs((e % 24) - 12) < 5)), [1, 24, 24, 1]);
 * const one = tf.ones([1, 1, 1, 1]);
 * return bam(x, {
 *   channel: { w1: tf.ones([1, 1]), w2: tf.ones([1, 1]) },
 *   spatial: { reduce: { w: one }, context: [{ w: tf.fill([3, 3, 1, 1], 0.6) }], project: { w: one, b: tf.tensor1d([-3]) } },
 * }).map;
 * @example
 * const x = tf.randomNormal([1, 6, 6, 8], 0, 1, "float32", 3);
 * const { map } = bam(x, {
 *   channel: { w1: tf.zeros([8, 2]), w2: tf.zeros([2, 8]) },
 *   spatial: {
 *     reduce: { w: tf.zeros([1, 1, 8, 2]) },
 *     context: [{ w: tf.zeros([3, 3, 2, 2]) }, { w: tf.zeros([3, 3, 2, 2]) }],
 *     project: { w: tf.zeros([1, 1, 2, 1]) },
 *   },
 * });
 * map.shape; // [1, 6, 6, 8]
 */
export function bam(
  x: tf.Tensor4D,
  { channel, spatial }: BamParameters,
  { dilation = 4 }: BamOptions = {},
): { output: tf.Tensor4D; map: tf.Tensor4D } {
  const op = "bam";
  const { C } = imageSizes(op, x);
  checkBottleneck(op, "channel.", channel, C);
  checkTensors(op, expectedNorm("channel.norm", channel.norm, "C", C));
  const R = checkConvolution(op, "spatial.reduce.", spatial.reduce, C);
  for (const [n, convolution] of spatial.context.entries()) {
    checkConvolution(op, `spatial.context[${n}].`, { ...convolution, dilation }, R, R);
  }
  checkConvolution(op, "spatial.project.", spatial.project, R, 1);
  return gated(op, () => {
    const means = tf.mean<tf.Tensor4D>(x, [1, 2], true);
    const channels = normalized(bottleneck(means, channel), channel.norm);
    let hidden = tf.relu(convolve(x, spatial.reduce));
    for (const convolution of spatial.context)
      hidden = tf.relu(convolve(hidden, { ...convolution, dilation }));
    const map = tf.sigmoid(tf.add<tf.Tensor4D>(channels, convolve(hidden, spatial.project)));
    return { output: tf.add<tf.Tensor4D>(x, tf.mul(x, map)), map };
  });
}
