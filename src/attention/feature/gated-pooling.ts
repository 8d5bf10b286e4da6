import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { notBool } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkFeatures } from "./check.ts";
import { notifyGate } from "./gated.ts";
import { inverseOrZero } from "./pool.ts";

export interface GatedPoolingOptions {
  /** bool [B, T], `true` where a position counts. @default all do */
  allow?: tf.Tensor2D;
}

/**
 * Gated pooling: the mean of a sequence, weighted by its gates.
 *
 *     out_c = Σ_t g_tc x_tc / Σ_t g_tc
 *
 * Symbols: x features, g the gate, ≥ 0. Shapes: x [B, T, C], gate [B, T, C] or [B, T, 1] → output [B, C], and weights
 * g/Σg of the gate's shape.
 * Conventions: x are the features before the gate: those after it are g ⊙ x already. Dividing by Σg keeps the size
 * of the result when gates close. Where Σg = 0, as with nothing allowed, the output, its weights and gradients are 0.
 * NaN in hidden places leaks nowhere.
 * Cost: O(size). Papers: Ilse, Tomczak & Welling 2018, §2.4, arxiv.org/abs/1802.04712, for gates as weights of a mean.
 *
 * @throws ShapeError RANK, SHAPE · OptionError DTYPE
 * @draws
 * const x = tf.reshape(tf.linspace(-4, 4, 24), [1, 24, 1]);
 * return gatedPooling(x, sigmoidGate(x).gate).weights;
 * @example
 * const x = tf.tensor3d([[[1], [3], [8]]]);
 * const gate = tf.tensor3d([[[1], [1], [0]]]);
 * gatedPooling(x, gate).output; // [[2]]
 */
export function gatedPooling(
  x: tf.Tensor3D,
  gate: tf.Tensor,
  { allow }: GatedPoolingOptions = {},
): { output: tf.Tensor2D; weights: tf.Tensor3D } {
  const op = "gatedPooling";
  checkRank(op, "x [B, T, C]", x, 3);
  const C = checkFeatures(op, x, "[B, T, C]", 2);
  const [B, T] = x.shape;
  const [letters, width] = gate.shape.at(-1) === 1 ? ["[B, T, 1]", 1] : ["[B, T, C]", C];
  checkTensors(op, [{ name: "gate", tensor: gate, letters, shape: [B, T, width] }]);
  if (allow && allow.dtype !== "bool") throw new OptionError("DTYPE", notBool({ op, dtype: allow.dtype }));
  if (allow)
    checkTensors(op, [{ name: "allow", tensor: allow, letters: "[B, T]", shape: [B, T], dtype: "bool" }]);
  return tidy(() => {
    const visible = allow && tf.expandDims(allow, 2);
    const hide = (t: tf.Tensor) => {
      if (!visible) return t;
      return tf.where(tf.broadcastTo(visible, t.shape), t, tf.zerosLike(t));
    };
    const shown = hide(gate);
    const weights = tf.mul(shown, inverseOrZero(tf.sum(shown, 1, true)));
    notifyGate(op, "weights", weights);
    return { output: tf.sum<tf.Tensor2D>(tf.mul(weights, hide(x)), 1), weights: weights as tf.Tensor3D };
  });
}
