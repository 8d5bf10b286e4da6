import * as tf from "@tensorflow/tfjs-core";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { checkFeatures } from "./check.ts";
import { gated } from "./gated.ts";
import type { GateResult } from "./sigmoid-gate.ts";

export interface ElementMlpGateParameters {
  /** [M], from an element to M hidden units. */
  w1: tf.Tensor1D;
  /** [M] */
  b1: tf.Tensor1D;
  /** [M], from the hidden units to a logit. */
  w2: tf.Tensor1D;
  /** [1] */
  b2: tf.Tensor1D;
}

/**
 * Element-wise network gate: one small network looks at every element alone and says how much of it passes.
 *
 *     g_i = σ(m(x_i)),    m(x) = w₂ᵀ tanh(w₁x + b₁) + b₂,    out_i = x_i·g_i
 *
 * Symbols: x features, m the network, the same for all elements, M its hidden units. Shapes: x […], w₁, b₁, w₂ [M],
 * b₂ [1] → output and gate of x's shape.
 * Conventions: out_i depends on x_i alone. Unlike the sigmoid self-gate it can prefer a band of values, or small ones.
 * w₂ = 0 with b₂ → ∞ is the identity.
 * Cost: O(size·M) time and memory. Paper: Dauphin et al. 2017, §2, arxiv.org/abs/1612.08083, for gating in general.
 *
 * @throws ShapeError RANK or SHAPE when the parameters do not fit together
 * @draws
 * const parameters = { w1: tf.tensor1d([6, 6]), b1: tf.tensor1d([9, -9]), w2: tf.tensor1d([4, -4]), b2: tf.tensor1d([-4]) };
 * return elementMlpGate(tf.linspace(-3, 3, 24), parameters).gate;
 * @example
 * const open = { w1: tf.ones([3]), b1: tf.zeros([3]), w2: tf.zeros([3]), b2: tf.tensor1d([100]) };
 * elementMlpGate(tf.tensor1d([1, -2, 3]), open).output; // [1, -2, 3]
 */
export function elementMlpGate<T extends tf.Tensor>(
  x: T,
  { w1, b1, w2, b2 }: ElementMlpGateParameters,
): GateResult<T, T> {
  const op = "elementMlpGate";
  checkFeatures(op, x, "[…]", 0);
  checkRank(op, "w1 [M]", w1, 1);
  const [M] = w1.shape;
  checkTensors(op, [
    { name: "b1", tensor: b1, letters: "[M]", shape: [M] },
    { name: "w2", tensor: w2, letters: "[M]", shape: [M] },
    { name: "b2", tensor: b2, letters: "[1]", shape: [1] },
  ]);
  return gated(op, () => {
    const elements = tf.reshape(x, [x.size, 1]);
    const hidden = tf.tanh(linear(elements, tf.reshape(w1, [1, M]), b1));
    const gate = tf.sigmoid(tf.reshape(linear(hidden, tf.reshape(w2, [M, 1]), b2), x.shape) as T);
    return { output: tf.mul(x, gate), gate };
  });
}
