import * as tf from "@tensorflow/tfjs-core";
import { checkFeatures } from "./check.ts";
import { gated } from "./gated.ts";

export interface GateResult<T extends tf.Tensor, G extends tf.Tensor = tf.Tensor> {
  /** The gated features, of the shape of x. */
  output: T;
  /** What they were multiplied by, in (0, 1). */
  gate: G;
}

/**
 * Sigmoid self-gate: every element is weighted by its own size, and by nothing else.
 *
 *     g_i = σ(x_i),    out_i = x_i·g_i
 *
 * Symbols: x features, g the gate. Shapes: x […] of any rank → output and gate of that shape.
 * Conventions: the output is SiLU, also called Swish-1, so the "attention" is the value's own magnitude: large ones
 * pass, very negative ones do not. out_i depends on x_i alone, with slope σ(x)(1 + x(1 − σ(x))). No parameters.
 * Cost: O(size), one pass for the gate and one for the product.
 * Papers: Elfwing, Uchibe & Doya 2018, §2, arxiv.org/abs/1702.03118; Ramachandran, Zoph & Le 2017,
 * arxiv.org/abs/1710.05941.
 *
 * @throws ShapeError SHAPE when x is empty or not float32
 * @draws
 * return sigmoidGate(tf.linspace(-6, 6, 24)).gate;
 * @example
 * const { output, gate } = sigmoidGate(tf.tensor1d([-2, 0, 3]));
 * gate; // [0.119, 0.500, 0.953]
 * output; // [-0.238, 0.000, 2.858]
 */
export function sigmoidGate<T extends tf.Tensor>(x: T): GateResult<T, T> {
  checkFeatures("sigmoidGate", x, "[…]", 0);
  return gated("sigmoidGate", () => {
    const gate = tf.sigmoid(x);
    return { output: tf.mul<T>(x, gate), gate };
  });
}
