import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { imageSizes } from "./check.ts";
import { gated } from "./gated.ts";
import type { ChannelGateResult } from "./squeeze-excitation.ts";

export interface EfficientChannelParameters {
  /** [k], k odd. */
  w: tf.Tensor1D;
}

/**
 * Efficient channel attention: each channel's gate looks at the means of its neighbours, with one small filter.
 *
 *     z_c = mean_hw x_hwc,    g_c = σ(Σ_i w_i z_{c + i − (k−1)/2}),    out_hwc = x_hwc·g_c
 *
 * Symbols: x images, z their means, w the filter of k taps, g the gate. Beyond the first and last channel z is 0.
 * Shapes: x [B, H, W, C], w [k] → output [B, H, W, C], gate [B, 1, 1, C].
 * Conventions: no narrow layer, so no channel loses its own mean. k is odd; `adaptiveKernelSize(C)` is the paper's.
 * Cost: O(B·C·(H·W + k)), and k parameters. Paper: Wang et al. 2020, §3, arxiv.org/abs/1910.03151.
 *
 * @throws ShapeError RANK, or SHAPE when k is even
 * @draws
 * const levels = tf.tensor([0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 4, 4, 0, 0, 0, 0]);
 * const x = tf.tile(tf.reshape(levels, [1, 1, 1, 16]), [1, 4, 4, 1]);
 * return efficientChannelAttention(x, { w: tf.tensor1d([0.5, 1, 0.5]) }).gate;
 * @example
 * const x = tf.ones([1, 2, 2, 4]);
 * efficientChannelAttention(x, { w: tf.tensor1d([1, 0, 0]) }).gate; // [[[[0.5, 0.731, 0.731, 0.731]]]]
 */
export function efficientChannelAttention(
  x: tf.Tensor4D,
  { w }: EfficientChannelParameters,
): ChannelGateResult {
  const op = "efficientChannelAttention";
  const { B, C } = imageSizes(op, x);
  checkRank(op, "w [k]", w, 1);
  const [k] = w.shape;
  if (k % 2 === 0) {
    const remedy = "use the next odd size, or adaptiveKernelSize(C)";
    throw new ShapeError("SHAPE", { op, rule: "w [k] must have an odd length k", got: `k = ${k}`, remedy });
  }
  return gated(op, () => {
    const means = tf.reshape(tf.mean(x, [1, 2]), [B, C, 1]) as tf.Tensor3D;
    const logits = tf.conv1d(means, tf.reshape(w, [k, 1, 1]), 1, "same");
    const gate = tf.sigmoid(tf.reshape(logits, [B, 1, 1, C])) as tf.Tensor4D;
    return { output: tf.mul(x, gate), gate };
  });
}

export interface AdaptiveKernelSizeOptions {
  /** @default 2 */
  gamma?: number;
  /** @default 1 */
  beta?: number;
}

/**
 * The number of neighbours that efficient channel attention looks at, by the number of channels.
 *
 *     k = |log₂(C)/γ + b/γ|, made odd: ⌊·⌋ if that is odd, else ⌊·⌋ + 1
 *
 * Symbols: C channels, γ and b constants. Shapes: a number → an odd number.
 * Conventions: as in the paper's code; timm takes at least 3, which differs for fewer than 8 channels. Cost: O(1).
 * Paper: Wang et al. 2020, §3.2.3, eq. 12, arxiv.org/abs/1910.03151.
 *
 * @throws OptionError OPTION
 * @draws
 * const sizes = Array.from({ length: 12 }, (_, n) => adaptiveKernelSize(2 ** n));
 * return tf.tensor2d(Array.from({ length: 108 }, (_, e) => (sizes[Math.floor(e / 9)] / 2 > Math.abs((e % 9) - 4) ? 1 : 0)), [12, 9]);
 * @example
 * adaptiveKernelSize(64); // 3
 * adaptiveKernelSize(512); // 5
 */
export function adaptiveKernelSize(
  C: number,
  { gamma = 2, beta = 1 }: AdaptiveKernelSizeOptions = {},
): number {
  const op = "adaptiveKernelSize";
  const range = (name: string, rule: string, got: unknown) =>
    new OptionError("OPTION", outOfRange({ op, name, rule, got }));
  if (!(Number.isSafeInteger(C) && C >= 1)) throw range("C", "an integer ≥ 1", C);
  if (!(gamma > 0 && gamma < Infinity)) throw range("gamma", "a positive number", gamma);
  if (!Number.isFinite(beta)) throw range("beta", "a finite number", beta);
  const k = Math.floor(Math.abs((Math.log2(C) + beta) / gamma));
  return k % 2 === 1 ? k : k + 1;
}
