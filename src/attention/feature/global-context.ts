import * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkPositive } from "../../core/check-options.ts";
import { attention } from "../../ops/attention.ts";
import { checkTensors } from "../../ops/check.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import { type BottleneckParameters, checkBottleneck } from "./bottleneck.ts";
import { imageSizes, optional } from "./check.ts";
import { gated } from "./gated.ts";

export interface GlobalContextParameters extends BottleneckParameters {
  /** [C], what a pixel must look like to be part of the context. */
  wk: tf.Tensor1D;
  /** [R], of the layer normalisation in the bottleneck. @default 1 */
  gamma?: tf.Tensor1D;
  /** [R] @default 0 */
  beta?: tf.Tensor1D;
}

export interface GlobalContextOptions {
  /** Add the transformed context to every pixel, or multiply the pixels by its sigmoid. @default "add" */
  fusion?: "add" | "scale";
  /** Of the layer normalisation. @default 1e-5 */
  epsilon?: number;
}

export interface GlobalContextResult {
  /** [B, H, W, C] */
  output: tf.Tensor4D;
  /** [B, H, W, 1], each image's pixels sum to 1. */
  map: tf.Tensor4D;
}

/**
 * Global context block: one attention map for the whole image, and what it gathers is given to every pixel.
 *
 *     α = softmax_hw(w_kᵀ x_hw),    z = Σ_hw α_hw x_hw,    t = W₂ relu(LN(W₁ z + b₁)) + b₂
 *     out_hw = x_hw + t    (add)    or    x_hw ⊙ σ(t)    (scale)
 *
 * Symbols: x images, α the map, z the context, t its transform, LN layer normalisation with γ and β.
 * Shapes: x [B, H, W, C], w_k [C], W₁ [C, R], b₁, γ, β [R], W₂ [R, C], b₂ [C] → output [B, H, W, C], map [B, H, W, 1].
 * Conventions: a bias of the map's logits would move all of them and change nothing, so there is none. W₂ = 0 and
 * b₂ = 0 make `add` the identity, bit for bit: begin there. The paper adds; timm scales unless told otherwise.
 * It is a non-local block whose queries all see alike; the pooling is the op `attention` with one query.
 * Cost: O(B·C·(H·W + R)). Paper: Cao et al. 2019, §3.2, arxiv.org/abs/1904.11492.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 576 }, (_, e) => Math.exp(-(((Math.floor(e / 24) - 15) ** 2 + ((e % 24) - 9) ** 2) / 18))), [1, 24, 24, 1]);
 * return globalContext(x, { wk: tf.tensor1d([4]), w1: tf.ones([1, 1]), w2: tf.ones([1, 1]) }).map;
 * @example
 * const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
 * const block = { wk: tf.zeros([1]), w1: tf.ones([1, 1]), w2: tf.zeros([1, 1]), b2: tf.ones([1]) };
 * const { output, map } = globalContext(x, block);
 * tf.reshape(map, [4]); // [0.25, 0.25, 0.25, 0.25]
 * tf.reshape(output, [4]); // [2, 3, 4, 5]
 */
export function globalContext(
  x: tf.Tensor4D,
  parameters: GlobalContextParameters,
  { fusion = "add", epsilon = 1e-5 }: GlobalContextOptions = {},
): GlobalContextResult {
  const op = "globalContext";
  const { B, H, W, C } = imageSizes(op, x);
  const { wk, w1, b1, gamma, beta, w2, b2 } = parameters;
  checkTensors(op, [{ name: "wk", tensor: wk, letters: "[C]", shape: [C] }]);
  checkBottleneck(op, "", parameters, C);
  const R = w1.shape[1];
  checkTensors(op, [...optional("gamma", gamma, "[R]", [R]), ...optional("beta", beta, "[R]", [R])]);
  checkChoice(op, "fusion", fusion, ["add", "scale"]);
  checkPositive(op, "epsilon", epsilon);
  return gated(op, () => {
    const pixels = tf.reshape(x, [B, 1, H * W, C]) as tf.Tensor4D;
    const query = tf.tile(tf.reshape(wk, [1, 1, 1, C]), [B, 1, 1, 1]) as tf.Tensor4D;
    const { output: context, weights } = attention(query, pixels, pixels, { scale: 1, weights: true });
    const narrow = tf.relu(layerNorm(linear(context, w1, b1), gamma, beta, { epsilon }));
    const transformed = linear(narrow, w2, b2);
    const output = fusion === "add" ? tf.add(x, transformed) : tf.mul(x, tf.sigmoid(transformed));
    return { output: output as tf.Tensor4D, map: tf.reshape(weights, [B, H, W, 1]) as tf.Tensor4D };
  });
}
