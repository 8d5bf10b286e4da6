import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";
import { checkFeatures } from "./check.ts";
import { gated } from "./gated.ts";
import type { GateResult } from "./sigmoid-gate.ts";

export interface LearnableGateParameters {
  /** [C], one logit a feature. 0 opens each gate half, 2 nearly fully. */
  w: tf.Tensor1D;
}

/**
 * Learnable gate: one learned weight for each feature, whatever the input is.
 *
 *     g = σ(w),    out = x ⊙ g
 *
 * Symbols: x features, w logits, g the gate. Shapes: x […, C], w [C] → output […, C], gate [C].
 * Conventions: the gate is the same for every input, so this is selection of features rather than attention that
 * moves. Begin at w = 0 (every gate ½) or 2; random logits begin with gates scattered over (0, 1). With a penalty
 * (`gatePenalty`) the gates of features that do not matter close. out_i depends on x_i alone.
 * Cost: O(size). Paper: Dauphin et al. 2017, §2, arxiv.org/abs/1612.08083, for gating in general.
 *
 * @throws ShapeError RANK or SHAPE when w does not have x's width
 * @draws
 * const w = tf.tensor1d([3, -3, -3, 2, -3, -2, 4, -3, -3, -3, 2, -2]);
 * return learnableGate(tf.ones([1, 12]), { w }).gate;
 * @example
 * const { output } = learnableGate(tf.tensor2d([[1, 2], [3, 4]]), { w: tf.tensor1d([0, 100]) });
 * output; // [[0.5, 2.0], [1.5, 4.0]]
 */
export function learnableGate<T extends tf.Tensor>(
  x: T,
  { w }: LearnableGateParameters,
): GateResult<T, tf.Tensor1D> {
  const op = "learnableGate";
  const C = checkFeatures(op, x, "[…, C]", 1);
  checkTensors(op, [{ name: "w", tensor: w, letters: "[C]", shape: [C] }]);
  return gated(op, () => {
    const gate = tf.sigmoid(w);
    return { output: tf.mul(x, gate), gate };
  });
}
