import * as tf from "@tensorflow/tfjs-core";
import { type BottleneckParameters, bottleneck, checkBottleneck } from "./bottleneck.ts";
import { imageSizes } from "./check.ts";
import { type ConvolutionParameters, checkConvolution, convolve } from "./convolution.ts";
import { gated } from "./gated.ts";
import { evenMax, meanAndMax } from "./pool.ts";
import type { ChannelGateResult } from "./squeeze-excitation.ts";

/**
 * Channel attention of CBAM: the mean and the largest value of each channel say, through one network, what matters.
 *
 *     g = σ(MLP(mean_hw x) + MLP(max_hw x)),    MLP(z) = W₂ relu(W₁ z + b₁) + b₂,    out_hwc = x_hwc·g_c
 *
 * Symbols: x images, g the gate (the paper's M_c), R the narrow width (`reducedWidth`).
 * Shapes: x [B, H, W, C], W₁ [C, R], b₁ [R], W₂ [R, C], b₂ [C] → output [B, H, W, C], gate [B, 1, 1, C].
 * Conventions: one gate a channel, the same at every pixel. Where several pixels hold the largest value they share its
 * gradient evenly. The paper has no biases; they may be left out. b₂ counts twice, once for each pooling.
 * Cost: O(B·C·(H·W + R)). Paper: Woo et al. 2018, §3, eq. 2, arxiv.org/abs/1807.06521.
 *
 * @throws ShapeError RANK or SHAPE when the shapes do not fit together
 * @draws
 * const peak = tf.tensor([0, 4, 0, 0, 1, 4, 0, 2, 0, 0, 4, 0]);
 * const one = tf.reshape(tf.oneHot(tf.tensor1d([5], "int32"), 9), [1, 3, 3, 1]);
 * const w = tf.eye(12);
 * return channelAttention(tf.mul(one, peak), { w1: w, w2: w, b2: tf.fill([12], -1) }).gate;
 * @example
 * const x = tf.tensor4d([0, 0, 0, 4], [1, 2, 2, 1]);
 * channelAttention(x, { w1: tf.ones([1, 1]), w2: tf.ones([1, 1]) }).gate; // [[[[0.993]]]]
 */
export function channelAttention(x: tf.Tensor4D, parameters: BottleneckParameters): ChannelGateResult {
  const op = "channelAttention";
  checkBottleneck(op, "", parameters, imageSizes(op, x).C);
  return gated(op, () => {
    const gate = channelGate(x, parameters);
    return { output: tf.mul(x, gate), gate };
  });
}

export interface SpatialMapResult {
  /** [B, H, W, C] */
  output: tf.Tensor4D;
  /** [B, H, W, 1], in (0, 1). */
  map: tf.Tensor4D;
}

/**
 * Spatial attention of CBAM: the mean and the largest channel of each pixel and its neighbours say where to look.
 *
 *     m = σ(norm(f([mean_c x ; max_c x]))),    out_hwc = x_hwc·m_hw
 *
 * Symbols: x images, f a convolution (7×7 in the paper), norm a normalisation, m the map (the paper's M_s).
 * Shapes: x [B, H, W, C], w [height, width, 2, 1], b [1] → output [B, H, W, C], map [B, H, W, 1].
 * Conventions: zeros around the image; one weight a pixel, the same for all channels. Of w's two inputs the first is
 * the mean. The paper's code normalises by batch and has no bias: here `norm` is folded into a scale and a shift, or a
 * function.
 * Cost: O(B·H·W·(C + height·width)). Paper: Woo et al. 2018, §3, eq. 3, arxiv.org/abs/1807.06521.
 *
 * @throws ShapeError RANK, or SHAPE when the filter does not fit or is even
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 576 }, (_, e) => +(Math.hypot(Math.floor(e / 24) - 9, (e % 24) - 14) < 5)), [1, 24, 24, 1]);
 * return spatialAttention(x, { w: tf.fill([5, 5, 2, 1], 0.15), b: tf.tensor1d([-3]) }).map;
 * @example
 * const x = tf.tensor4d([0, 0, 0, 4], [1, 2, 2, 1]);
 * spatialAttention(x, { w: tf.tensor4d([0, 1], [1, 1, 2, 1]) }).map; // [[[[0.5], [0.5]], [[0.5], [0.982]]]]
 */
export function spatialAttention(x: tf.Tensor4D, parameters: ConvolutionParameters): SpatialMapResult {
  const op = "spatialAttention";
  imageSizes(op, x);
  checkConvolution(op, "", parameters, 2, 1);
  return gated(op, () => {
    const map = spatialMap(x, parameters);
    return { output: tf.mul(x, map), map };
  });
}

export interface CbamParameters {
  channel: BottleneckParameters;
  spatial: ConvolutionParameters;
}

/**
 * CBAM, the convolutional block attention module: what matters, and then where.
 *
 *     y = x ⊙ g(x),    out = y ⊙ m(y)
 *
 * Symbols: g the gate of `channelAttention`, m the map of `spatialAttention`, which sees what the gate has let through.
 * Shapes: x [B, H, W, C] → output [B, H, W, C], gate [B, 1, 1, C], map [B, H, W, 1]; parameters as in the two.
 * Conventions: as in the two. Add x to the output for a residual block, as the paper does inside ResNets.
 * Cost: O(B·(H·W·(C + height·width) + C·R)). Paper: Woo et al. 2018, §3, eq. 1, arxiv.org/abs/1807.06521.
 *
 * @throws ShapeError RANK or SHAPE when the shapes do not fit together
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 576 }, (_, e) => +(Math.abs(Math.floor(e / 24) - 12) + Math.abs((e % 24) - 8) < 7)), [1, 24, 24, 1]);
 * const channel = { w1: tf.ones([1, 1]), w2: tf.ones([1, 1]) };
 * return cbam(x, { channel, spatial: { w: tf.fill([7, 7, 2, 1], 0.08), b: tf.tensor1d([-3]) } }).map;
 * @example
 * const x = tf.randomNormal([2, 5, 5, 16], 0, 1, "float32", 1);
 * const { output, gate, map } = cbam(x, {
 *   channel: { w1: tf.zeros([16, 2]), w2: tf.zeros([2, 16]) },
 *   spatial: { w: tf.zeros([7, 7, 2, 1]) },
 * });
 * [gate.shape, map.shape]; // [[2, 1, 1, 16], [2, 5, 5, 1]]
 */
export function cbam(
  x: tf.Tensor4D,
  { channel, spatial }: CbamParameters,
): ChannelGateResult & SpatialMapResult {
  const op = "cbam";
  checkBottleneck(op, "channel.", channel, imageSizes(op, x).C);
  checkConvolution(op, "spatial.", spatial, 2, 1);
  return gated(op, () => {
    const gate = channelGate(x, channel);
    const gated = tf.mul<tf.Tensor4D>(x, gate);
    const map = spatialMap(gated, spatial);
    return { output: tf.mul(gated, map), gate, map };
  });
}

/** Both poolings as two rows of one batch, so that the network runs once. */
function channelGate(x: tf.Tensor4D, parameters: BottleneckParameters): tf.Tensor4D {
  const pooled = tf.concat([tf.mean<tf.Tensor4D>(x, [1, 2], true), evenMax(x, [1, 2])], 1);
  return tf.sigmoid(tf.sum(bottleneck(pooled, parameters), 1, true));
}

function spatialMap(x: tf.Tensor4D, parameters: ConvolutionParameters): tf.Tensor4D {
  return tf.sigmoid(convolve(meanAndMax(x, 3), parameters));
}
