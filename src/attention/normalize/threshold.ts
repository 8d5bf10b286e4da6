import * as tf from "@tensorflow/tfjs-core";
import { canRead } from "../../ops/attention/guard.ts";

/** The lowest float32: the largest score of a row without one. */
const LOWEST = -3.4028234663852886e38;
/** Below every sum of a row that is not empty. */
export const TINY = 2 ** -24;
/** So near to the root that one step more reaches it. */
const NEAR = 2 ** -20;

/** Scores below the largest of their row, which becomes 0; a row of −∞ alone stays −∞. */
export function belowLargest(scores: tf.Tensor): tf.Tensor {
  return tf.sub(scores, tf.maximum(tf.max(scores, -1, true), LOWEST));
}

/** Weights that sum to 1 from ones that do but for rounding; rows of zeros stay. */
export function toSumOne(weights: tf.Tensor): tf.Tensor {
  return tf.div(weights, tf.maximum(tf.sum(weights, -1, true), TINY));
}

/**
 * [z − τ]₊ of each row, with τ such that Σ_s [z_s − τ]₊^power = 1, for rows whose largest z is 0 or that are −∞.
 *
 * Newton's method from τ = −1. The sum f is convex and falls in τ, so every step stays left of the root, and
 * f·|f′| shrinks to a quarter at least: 12 + log₂ S steps end below float32's rounding. Most rows need 4 to 6, and
 * where the answer can be read without waiting, few more are made. A sort would cost as much as all of them.
 */
export function aboveThreshold(z: tf.Tensor, power: 1 | 2): tf.Tensor {
  const steps = newtonSteps(z);
  let above = tf.relu(tf.add(z, 1));
  let threshold: tf.Tensor = tf.fill([...z.shape.slice(0, -1), 1], -1);
  for (let step = 1; step <= steps; step++) {
    const sum = tf.sum(power === 1 ? above : tf.square(above), -1, true);
    const slope = tf.sum(power === 1 ? tf.step(above) : tf.mul(above, 2), -1, true);
    // A row without a visible key has the sum 0 and stays where it is.
    const excess = tf.relu(tf.sub(sum, 1));
    threshold = tf.add(threshold, tf.div(excess, tf.maximum(slope, TINY)));
    above = tf.relu(tf.sub(z, threshold));
    if (isNear(step, excess)) break;
  }
  return above;
}

/** The steps that Newton's method needs at most. */
export function newtonSteps(scores: tf.Tensor): number {
  return 12 + Math.ceil(Math.log2(scores.shape[scores.rank - 1]!));
}

/** Whether all rows were so near to their root that the step just made has reached it; no where it cannot be read. */
export function isNear(step: number, excess: tf.Tensor): boolean {
  return step >= 4 && step % 2 === 0 && canRead() && tf.max(excess).dataSync()[0]! <= NEAR;
}

/**
 * The gradient of weights that are a power of their distance to a threshold: J = diag(g) − g gᵀ / Σ g, with g the
 * weights' own derivatives. Exact on the support; 0 elsewhere and in rows without one, where g is 0.
 */
export function gradientOnSupport(dweights: tf.Tensor, g: tf.Tensor): tf.Tensor {
  const product = tf.mul(dweights, g);
  const mean = tf.div(tf.sum(product, -1, true), tf.maximum(tf.sum(g, -1, true), TINY));
  return tf.sub(product, tf.mul(g, mean));
}

/** p where it is above 0, and 1 elsewhere, so that its logarithm is 0 there; `seen` is 1 and 0. */
export function onSupport(p: tf.Tensor): { positive: tf.Tensor; seen: tf.Tensor } {
  const seen = tf.step(p);
  return { positive: tf.add(p, tf.sub(1, seen)), seen };
}
