import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { sparsemax } from "./sparsemax.ts";
import { aboveThreshold, belowLargest, gradientOnSupport, toSumOne } from "./threshold.ts";

/** Halvings of an interval of length ≤ ln S: what is left is below float32's rounding. */
const HALVINGS = 26;

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
 * softmax and α = 2 sparsemax; α = 1.5 (the default) has a cheap form of its own. Other α, and tensors, are found by
 * 26 halvings. A tensor α must be above 1 (it is not read, so not checked) and receives its gradient, which loses
 * accuracy as 2⁻²⁴/(α − 1)². Gradients are exact on the support; differentiable once.
 * Cost: O(size · log S) for 1.5, O(26 · size) for other α. Papers: Peters, Niculae & Martins 2019, §3 and
 * appendix A, arxiv.org/abs/1905.05702; the gradient of α: Correia, Niculae & Martins 2019, §3.2,
 * arxiv.org/abs/1909.00015.
 *
 * @throws OptionError NUMBER_RANGE when α < 1 · ShapeError BROADCAST when a tensor α does not fit the rows
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
    return typeof alpha === "number" ? rowEntmaxOf(alpha)(scores) : rowEntmax(scores, alpha);
  }) as T;
}

function checkAlpha(scores: tf.Tensor, alpha: number | tf.Tensor): void {
  const op = "entmax";
  if (typeof alpha === "number") {
    if (alpha >= 1 && alpha < Infinity) return;
    throw new OptionError("NUMBER_RANGE", { op, name: "alpha", rule: "a number ≥ 1", got: alpha });
  }
  const rows = [...scores.shape.slice(0, -1), 1];
  const last = rows.slice(rows.length - alpha.rank);
  if (alpha.rank <= rows.length && alpha.shape.every((n, axis) => n === 1 || n === last[axis])) return;
  const details = { op, name: "alpha", letters: "[..., 1]", expected: rows, got: alpha.shape };
  throw new ShapeError("BROADCAST", details);
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
    const weights = halve(scores as tf.Tensor, tf.scalar(alpha - 1));
    (save as tf.GradSaveFunc)([weights]);
    return {
      value: weights,
      gradFunc: (dweights: tf.Tensor, [p]: tf.Tensor[]) =>
        gradientOnSupport(dweights, slopes(p!, tf.scalar(2 - alpha))),
    };
  });
}

const rowEntmax = tf.customGrad((scores, alpha, save) => {
  const weights = halve(scores as tf.Tensor, tf.sub(alpha as tf.Tensor, 1));
  (save as tf.GradSaveFunc)([weights, alpha as tf.Tensor]);
  return {
    value: weights,
    gradFunc: (dweights: tf.Tensor, [p, a]: tf.Tensor[]) => {
      const g = slopes(p!, tf.sub(2, a!));
      return [gradientOnSupport(dweights, g), alphaGradient(dweights, p!, g, a!)];
    },
  };
});

/** The weights, by halving the interval of λ; `beta` is α − 1. */
function halve(scores: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const S = scores.shape[scores.rank - 1]!;
  const z = tf.mul(belowLargest(scores), beta);
  const weigh = (threshold: tf.Tensor) =>
    tf.exp(tf.div(tf.log1p(tf.maximum(tf.sub(z, tf.mul(beta, threshold)), -1)), beta));
  // The largest weight is at most 1, so λ ≥ 0, and at least 1/S.
  let width = tf.div(tf.sub(1, tf.exp(tf.mul(beta, -Math.log(S)))), beta);
  let low: tf.Tensor = tf.zeros([...scores.shape.slice(0, -1), 1]);
  for (let n = 0; n < HALVINGS; n++) {
    width = tf.mul(width, 0.5);
    const middle = tf.add(low, width);
    low = tf.where(tf.greaterEqual(tf.sum(weigh(middle), -1, true), 1), middle, low);
  }
  return toSumOne(weigh(low));
}

/** p^(2 − α) on the support, 0 elsewhere. */
function slopes(p: tf.Tensor, exponent: tf.Tensor): tf.Tensor {
  const seen = tf.greater(p, 0);
  return tf.where(seen, tf.exp(tf.mul(tf.log(tf.where(seen, p, 1)), exponent)), 0);
}

/** (p − g̃)/(α−1)² + (g̃ Σ p ln p − p ln p)/(α−1) against dp, with g̃ = g/Σg; summed to the shape of α. */
function alphaGradient(dweights: tf.Tensor, p: tf.Tensor, g: tf.Tensor, alpha: tf.Tensor): tf.Tensor {
  const beta = tf.sub(alpha, 1);
  const share = tf.div(g, tf.maximum(tf.sum(g, -1, true), 2 ** -24));
  const information = tf.mul(p, tf.log(tf.where(tf.greater(p, 0), p, 1)));
  const shared = tf.sub(tf.mul(share, tf.sum(information, -1, true)), information);
  const change = tf.div(tf.add(tf.div(tf.sub(p, share), beta), shared), beta);
  const perRow = tf.sum(tf.mul(dweights, change), -1, true);
  const shape = [...new Array(perRow.rank - alpha.rank).fill(1), ...alpha.shape];
  const axes = shape.flatMap((n, axis) => (n === 1 && perRow.shape[axis] !== 1 ? [axis] : []));
  return tf.reshape(axes.length > 0 ? tf.sum(perRow, axes) : perRow, alpha.shape);
}
