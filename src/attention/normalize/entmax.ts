import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { checkBroadcast } from "./check.ts";
import { sparsemax } from "./sparsemax.ts";
import {
  aboveThreshold,
  belowLargest,
  gradientOnSupport,
  isNear,
  newtonSteps,
  onSupport,
  TINY,
  toSumOne,
} from "./threshold.ts";

/** Halvings of an interval of length ≤ 1: what is left is below float32's rounding. */
const HALVINGS = 26;
/** Of a tensor α: where 1/(α − 1) is still a number to divide by. */
const LEAST_ALPHA = 1.001;
/** A logarithm whose exponential is 0 in float32. */
const LOG_ZERO = -110;

/**
 * α-entmax over the keys: between softmax (α = 1) and sparsemax (α = 2), sparser as α grows.
 *
 *     entmax_α(e)_s = [1 + (α − 1)(e_s − λ)]₊^{1/(α − 1)},    λ such that the weights sum to 1
 *
 * Symbols: e scores, α ≥ 1 the shape of the entropy that is traded for the score, λ the threshold; in the paper's form
 * [(α − 1)e_s − τ]₊^{1/(α − 1)} it is τ = (α − 1)λ − 1.
 * Shapes: e [..., S], α a number or a tensor that broadcasts to [..., 1], such as [H, 1, 1] for scores [B, H, T, S]
 * → [..., S].
 * Conventions: a score of −∞ hides its key: weight 0 and gradient 0; a row of −∞ alone gives 0 everywhere. α = 1 is
 * softmax and α = 2 sparsemax. λ is found by Newton's method, and by 26 halvings where α > 2. A tensor α counts from
 * 1.001 to 2, as the nearer end beyond them, and receives its gradient there, which loses accuracy as 2⁻²⁴/(α − 1)².
 * Gradients are exact on the support; differentiable once.
 * Cost: O(size · log S) at most, in passes over the array; nothing is sorted.
 * Papers: Peters, Niculae & Martins 2019, §3 and appendix A, arxiv.org/abs/1905.05702; the gradient of α: Correia,
 * Niculae & Martins 2019, §3.2, arxiv.org/abs/1909.00015.
 *
 * @throws OptionError OPTION when α < 1 · ShapeError SHAPE when a tensor α does not fit the rows
 * @draws
 * const scores = tf.mul(tf.range(0, 12), -0.35);
 * return tf.stack([1, 1.25, 1.5, 1.75, 2, 3].map((alpha) => entmax(scores, alpha)));
 * @example
 * entmax(tf.tensor2d([[0, -1, -Infinity]])); // [[0.8307, 0.1693, 0]]
 * const alpha = tf.tensor([1.2, 1.9], [2, 1]); // one for each row
 * entmax(tf.zeros([2, 5]), alpha);
 */
export function entmax<T extends tf.Tensor>(scores: T, alpha: number | tf.Tensor = 1.5): T {
  checkAlpha(scores, alpha);
  if (scores.size === 0) return tf.clone(scores);
  if (alpha === 1) return softmax(scores);
  if (alpha === 2) return sparsemax(scores);
  return tf.tidy(() => {
    if (alpha === 1.5) return rowEntmax15(scores);
    if (typeof alpha === "number") return rowEntmaxOf(alpha)(scores);
    return rowEntmax(scores, tf.clipByValue(alpha, LEAST_ALPHA, 2));
  }) as T;
}

function checkAlpha(scores: tf.Tensor, alpha: number | tf.Tensor): void {
  const op = "entmax";
  if (typeof alpha === "number") {
    if (alpha >= 1 && alpha < Infinity) return;
    throw new OptionError("OPTION", outOfRange({ op, name: "alpha", rule: "a number ≥ 1", got: alpha }));
  }
  checkBroadcast(op, { name: "alpha", letters: "[..., 1]" }, [...scores.shape.slice(0, -1), 1], alpha.shape);
}

const rowEntmax15 = tf.customGrad((scores, save) => {
  const above = aboveThreshold(tf.mul(belowLargest(scores as tf.Tensor), 0.5), 2);
  const weights = toSumOne(tf.square(above));
  (save as tf.GradSaveFunc)([weights]);
  return {
    value: weights,
    gradFunc: (dweights: tf.Tensor, [p]: tf.Tensor[]) => gradientOnSupport(dweights, tf.sqrt(p!)),
  };
});

/** α a number: no gradient of it is made. */
function rowEntmaxOf(alpha: number) {
  return tf.customGrad((scores, save) => {
    const find = alpha > 2 ? halve : approach;
    const weights = find(scores as tf.Tensor, tf.scalar(alpha - 1));
    (save as tf.GradSaveFunc)([weights]);
    return {
      value: weights,
      gradFunc: (dweights: tf.Tensor, [p]: tf.Tensor[]) =>
        gradientOnSupport(dweights, slopes(p!, tf.scalar(2 - alpha))),
    };
  });
}

const rowEntmax = tf.customGrad((scores, alpha, save) => {
  const weights = approach(scores as tf.Tensor, tf.sub(alpha as tf.Tensor, 1));
  (save as tf.GradSaveFunc)([weights, alpha as tf.Tensor]);
  return {
    value: weights,
    gradFunc: (dweights: tf.Tensor, [p, a]: tf.Tensor[]) => {
      const g = slopes(p!, tf.sub(2, a!));
      return [gradientOnSupport(dweights, g), alphaGradient(dweights, p!, g, a!)];
    },
  };
});

/** ln [1 + β(z − λ)]₊: β times the logarithm of the weights, exact for small β too; `beta` is α − 1. */
function logarithms(z: tf.Tensor, threshold: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  return tf.log1p(tf.maximum(tf.mul(tf.sub(z, threshold), beta), -1));
}

/** The weights for α ≤ 2, by Newton's method from λ = 0: their sum is convex in λ, so every step stays below the root. */
function approach(scores: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const z = belowLargest(scores);
  const steps = newtonSteps(z);
  let threshold: tf.Tensor = tf.zeros([...z.shape.slice(0, -1), 1]);
  // −∞ would make 0 · ∞ of the slope at α = 2.
  const finite = () => tf.maximum(logarithms(z, threshold, beta), LOG_ZERO);
  let logs = finite();
  let weights = tf.exp(tf.div(logs, beta));
  for (let step = 1; step <= steps; step++) {
    const slopes = tf.mul(tf.exp(tf.mul(logs, tf.div(tf.sub(1, beta), beta))), tf.step(weights));
    const excess = tf.relu(tf.sub(tf.sum(weights, -1, true), 1));
    threshold = tf.add(threshold, tf.div(excess, tf.maximum(tf.sum(slopes, -1, true), TINY)));
    logs = finite();
    weights = tf.exp(tf.div(logs, beta));
    if (isNear(step, excess)) break;
  }
  return toSumOne(weights);
}

/** The weights for α > 2, by halving the interval of λ. */
function halve(scores: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const z = belowLargest(scores);
  const S = scores.shape[scores.rank - 1]!;
  const weigh = (threshold: tf.Tensor) => tf.exp(tf.div(logarithms(z, threshold, beta), beta));
  // The largest weight is at most 1, so λ ≥ 0, and at least 1/S.
  let width = tf.div(tf.sub(1, tf.exp(tf.mul(beta, -Math.log(S)))), beta);
  let low: tf.Tensor = tf.zeros([...z.shape.slice(0, -1), 1]);
  for (let n = 0; n < HALVINGS; n++) {
    width = tf.mul(width, 0.5);
    const middle = tf.add(low, width);
    low = tf.where(tf.greaterEqual(tf.sum(weigh(middle), -1, true), 1), middle, low);
  }
  return toSumOne(weigh(low));
}

/** p^(2 − α) on the support, 0 elsewhere. */
function slopes(p: tf.Tensor, exponent: tf.Tensor): tf.Tensor {
  const { positive, seen } = onSupport(p);
  return tf.mul(tf.exp(tf.mul(tf.log(positive), exponent)), seen);
}

/** (p − g̃)/(α−1)² + (g̃ Σ p ln p − p ln p)/(α−1) against dp, with g̃ = g/Σg; summed to the shape of α. */
function alphaGradient(dweights: tf.Tensor, p: tf.Tensor, g: tf.Tensor, alpha: tf.Tensor): tf.Tensor {
  const beta = tf.sub(alpha, 1);
  const share = tf.div(g, tf.maximum(tf.sum(g, -1, true), TINY));
  const information = tf.mul(p, tf.log(onSupport(p).positive));
  const shared = tf.sub(tf.mul(share, tf.sum(information, -1, true)), information);
  const change = tf.div(tf.add(tf.div(tf.sub(p, share), beta), shared), beta);
  const perRow = tf.sum(tf.mul(dweights, change), -1, true);
  const shape = [...new Array(perRow.rank - alpha.rank).fill(1), ...alpha.shape];
  const axes = shape.flatMap((n, axis) => (n === 1 && perRow.shape[axis] !== 1 ? [axis] : []));
  return tf.reshape(axes.length > 0 ? tf.sum(perRow, axes) : perRow, alpha.shape);
}
