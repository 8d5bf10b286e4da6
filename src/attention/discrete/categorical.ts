import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../core/random.ts";
import { detached } from "../../ops/attention/guard.ts";
import { noneIf } from "../normalize/best-key.ts";
import { checkDraw, checkKeys, type RandomDraw } from "./check.ts";

/**
 * Draws one key for each row of weights.
 *
 *     s ~ Categorical(α),    s = the first key with Σ_{r ≤ s} α_r > u Σ_r α_r,    u uniform in [0, 1)
 *
 * Symbols: α weights ≥ 0, s the key drawn. Shapes: [..., S] → int32 [...].
 * Conventions: weights need not sum to 1. A key of weight 0 is never drawn; −1 stands for a row of zeros, where there
 * is nothing to draw. Row n takes random number n of `RandomStream(seed, stream)`, so a draw is the same on every
 * backend but for keys whose boundary lies within a rounding of u. No gradient goes through it.
 * Cost: O(size), and one random number a row; nothing is read from the device. Method: inversion, Devroye 1986,
 * "Non-Uniform Random Variate Generation", §III.2.
 *
 * @throws OptionError OPTION for a bad seed or stream · ShapeError SHAPE when there are no keys
 * @example
 * sampleCategorical(tf.tensor2d([[0, 1, 0], [0, 0, 0]]), { seed: 7 }); // [1, -1]
 */
export function sampleCategorical(weights: tf.Tensor, options: RandomDraw): tf.Tensor {
  const op = "sampleCategorical";
  const { seed, stream } = checkDraw(op, options);
  const S = weights.shape[weights.rank - 1];
  checkKeys(op, "weights [..., S]", S);
  const rows = weights.shape.slice(0, -1);
  return tf.tidy(() => {
    const uniform = new RandomStream(seed, stream).fillUniform(new Float32Array(weights.size / S!));
    // The stock wasm backend reads beyond the axes of a cumsum that counts them from the end.
    const upTo = tf.cumsum(detached(weights), weights.rank - 1);
    const all = tf.slice(upTo, [...rows.map(() => 0), S! - 1], [...rows, 1]);
    const beyond = tf.step(tf.sub(upTo, tf.mul(all, tf.tensor(uniform, [...rows, 1]))));
    const index = tf.sub(tf.scalar(S!, "int32"), tf.cast(tf.sum(beyond, -1), "int32"));
    // Nothing lies beyond NaN.
    const key = tf.minimum(index, tf.scalar(S! - 1, "int32"));
    return noneIf(tf.equal(tf.squeeze(all, [rows.length]), 0), key);
  });
}
