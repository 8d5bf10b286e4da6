import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { checkFeatures, optional } from "./check.ts";
import { gated } from "./gated.ts";
import type { GateResult } from "./sigmoid-gate.ts";

export interface ProjectedGateParameters {
  /** [C, C] */
  w: tf.Tensor2D;
  /** [C] @default none */
  b?: tf.Tensor1D;
}

/**
 * Projected gate: each feature is weighted by what a linear layer makes of all features of its position.
 *
 *     g = σ(x W + b),    out = x ⊙ g
 *
 * Symbols: x features, W, b learned, g the gate. Shapes: x [B, …, C], W [C, C], b [C] → output, gate [B, …, C].
 * Conventions: W = 0 with b → ∞ is the identity, with b → −∞ gives 0. It is the gated linear unit whose linear half
 * is x itself. Positions do not meet; features do: for a gate of each element alone take `elementMlpGate`.
 * Cost: O(size·C). Paper: Dauphin et al. 2017, §2, arxiv.org/abs/1612.08083.
 *
 * @throws ShapeError RANK or SHAPE when a parameter does not have x's width
 * @draws
 * const x = tf.eye(12);
 * const w = tf.tensor2d(Array.from({ length: 144 }, (_, e) => 4 * Math.cos((Math.floor(e / 12) - (e % 12)) / 2)), [12, 12]);
 * return projectedGate(x, { w }).gate;
 * @example
 * const x = tf.tensor2d([[1, 2], [3, 4]]);
 * const { output } = projectedGate(x, { w: tf.zeros([2, 2]), b: tf.tensor1d([0, 100]) });
 * output; // [[0.5, 2.0], [1.5, 4.0]]
 */
export function projectedGate<T extends tf.Tensor>(
  x: T,
  { w, b }: ProjectedGateParameters,
): GateResult<T, T> {
  const op = "projectedGate";
  const C = checkFeatures(op, x, "[B, …, C]", 2);
  checkTensors(op, [
    { name: "w", tensor: w, letters: "[C, C]", shape: [C, C] },
    ...optional("b", b, "[C]", [C]),
  ]);
  return gated(op, () => {
    const gate = tf.sigmoid(linear(x, w, b));
    return { output: tf.mul(x, gate), gate };
  });
}
