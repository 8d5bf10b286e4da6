import * as tf from "@tensorflow/tfjs-core";
import { type BottleneckParameters, bottleneck, checkBottleneck } from "./bottleneck.ts";
import { imageSizes } from "./check.ts";
import { gated } from "./gated.ts";

export interface ChannelGateResult {
  /** [B, H, W, C] */
  output: tf.Tensor4D;
  /** [B, 1, 1, C], in (0, 1). */
  gate: tf.Tensor4D;
}

/**
 * Squeeze and excitation: the mean image says which channels matter.
 *
 *     z_c = mean_hw x_hwc,    g = σ(W₂ relu(W₁ z + b₁) + b₂),    out_hwc = x_hwc·g_c
 *
 * Symbols: x images, z the squeezed image, g the gate (the paper's s), R the narrow width (`reducedWidth`).
 * Shapes: x [B, H, W, C], W₁ [C, R], b₁ [R], W₂ [R, C], b₂ [C] → output [B, H, W, C], gate [B, 1, 1, C].
 * Conventions: one gate a channel, the same at every pixel. The order of pixels does not matter. Biases may be left out.
 * Any R ≥ 1 works, so also fewer channels than the ratio, where `reducedWidth` gives 1.
 * Cost: O(B·C·(H·W + R)). Paper: Hu, Shen & Sun 2018, §3, arxiv.org/abs/1709.01507.
 *
 * @throws ShapeError RANK or SHAPE when the shapes do not fit together
 * @draws
 * const levels = tf.tensor([0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]);
 * const x = tf.tile(tf.reshape(levels, [1, 1, 1, 16]), [1, 4, 4, 1]);
 * const w1 = tf.oneHot(tf.tensor1d([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3], "int32"), 4);
 * const w = tf.cast(w1, "float32");
 * return squeezeExcitation(x, { w1: w, w2: tf.mul(tf.transpose(w), 4), b2: tf.fill([16], -3) }).gate;
 * @example
 * const x = tf.ones([1, 2, 2, 3]);
 * const { gate } = squeezeExcitation(x, { w1: tf.ones([3, 1]), w2: tf.tensor2d([[0, 1, -1]]) });
 * gate; // [[[[0.5, 0.953, 0.047]]]]
 */
export function squeezeExcitation(x: tf.Tensor4D, parameters: BottleneckParameters): ChannelGateResult {
  const op = "squeezeExcitation";
  const { C } = imageSizes(op, x);
  checkBottleneck(op, "", parameters, C);
  return gated(op, () => {
    const gate = tf.sigmoid(bottleneck(tf.mean<tf.Tensor4D>(x, [1, 2], true), parameters));
    return { output: tf.mul(x, gate), gate };
  });
}
