import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";

/**
 * Gated residual: the input plus a share of what a gate made of it, so that a closed gate loses nothing.
 *
 *     out = x + γ·gated
 *
 * Symbols: x the input, gated what a gate gives for it (`output`), γ the share.
 * Shapes: x and gated of one shape, γ a number, a scalar, or [C] with one share a feature → x's shape.
 * Conventions: γ = 0 is the identity, bit for bit where gated is finite; begin there, and the gate enters as far as it
 * helps. Cost: O(size). Papers: He et al. 2016, §3, arxiv.org/abs/1512.03385; Bachlechner et al. 2021, §3, whose α is
 * γ, arxiv.org/abs/2003.04887.
 *
 * @throws ShapeError SHAPE when the shapes differ
 * @draws
 * const x = tf.reshape(tf.linspace(0, 4, 24), [1, 24]);
 * return tf.concat([0, 0.5, 1, 2].map((gamma) => gatedResidual(x, sigmoidGate(x).output, gamma)));
 * @example
 * const x = tf.tensor2d([[2, -4]]);
 * const { output } = learnableGate(x, { w: tf.zeros([2]) });
 * gatedResidual(x, output, 0.5); // [[2.5, -5.0]]
 */
export function gatedResidual<T extends tf.Tensor>(x: T, gated: T, gamma: number | tf.Tensor): T {
  const op = "gatedResidual";
  checkTensors(op, [{ name: "gated", tensor: gated, letters: "that of x", shape: x.shape }]);
  if (typeof gamma !== "number" && gamma.rank > 0) {
    checkTensors(op, [{ name: "gamma", tensor: gamma, letters: "[C]", shape: [x.shape.at(-1) ?? 1] }]);
  }
  return tf.tidy(() => tf.add(x, tf.mul(gated, gamma)));
}
