import * as tf from "@tensorflow/tfjs-core";
import { checkNotNegative } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { notAChoice, unequal } from "../../core/faults.ts";
import { detached } from "../../ops/attention/guard.ts";
import { oneHotKeys } from "../normalize/best-key.ts";
import { onSupport } from "../normalize/threshold.ts";
import { type Baseline, baselineKinds, baselineValue } from "./baseline.ts";

/**
 * The log-probability of the keys that were drawn.
 *
 *     ln p(s) = ln α_s
 *
 * Symbols: α weights that sum to 1, s the key drawn. Shapes: weights [..., S], index int32 [...] → [...].
 * Conventions: 0, without a gradient, where the index is −1: nothing was drawn there. The gradient at the scores
 * behind the weights is one-hot(s) − α.
 * Cost: O(size). Paper: Williams 1992, "Simple statistical gradient-following algorithms", §4.
 *
 * @throws ShapeError DIMENSION when the index is not one for each row
 * @example
 * logProbability(tf.tensor2d([[0.25, 0.75]]), tf.tensor1d([0], "int32")); // [-1.386]
 */
export function logProbability(weights: tf.Tensor, index: tf.Tensor): tf.Tensor {
  const op = "logProbability";
  checkRows(
    op,
    { name: "weights [..., S]", shape: weights.shape },
    { name: "index [...]", shape: index.shape },
  );
  return tf.tidy(() => {
    const drawn = detached(index);
    const chosen = oneHotKeys(drawn, weights.shape[weights.rank - 1]!);
    const share = tf.sum(tf.mul(weights, chosen), -1);
    return tf.log(tf.where(tf.less(drawn, 0), tf.onesLike(share), share));
  });
}

/**
 * The entropy of the weights, in nats: how undecided each query is.
 *
 *     H(α) = −Σ_s α_s ln α_s
 *
 * Symbols: α weights that sum to 1. Shapes: [..., S] → [...]. Conventions: 0·ln 0 is 0, and hidden keys have no
 * gradient. Cost: O(size). Paper: as a bonus in Xu et al. 2015, §4.1, arxiv.org/abs/1502.03044.
 *
 * @example
 * entropy(tf.tensor2d([[0.5, 0.5, 0], [0, 1, 0]])); // [0.6931, 0]
 */
export function entropy(weights: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const { seen } = onSupport(detached(weights));
    const positive = tf.add(weights, tf.sub(1, seen));
    return tf.neg(tf.sum(tf.mul(weights, tf.log(positive)), -1));
  });
}

export interface ScoreFunctionOptions {
  /** What is subtracted from the rewards: lowers the variance, changes no mean. @default { kind: "none" } */
  baseline?: Baseline;
  /** Entropies in the shape of the log-probabilities; see `entropy`. @default none */
  entropy?: tf.Tensor;
  /** λ ≥ 0, the weight of the entropy bonus. @default 0.01 where entropies are given */
  entropyWeight?: number;
}

/**
 * Score-function estimator (REINFORCE): a loss whose gradient is an unbiased estimate of that of −E[R].
 *
 *     L = −1/N Σ_n [(R_n − b_n) ln p(s_n) + λ H_n],    ∇L = −1/N Σ_n [(R_n − b_n) ∇ln p(s_n) + λ ∇H_n]
 *
 * Symbols: R rewards, b baseline, s what was drawn, λ the weight of the entropy bonus, N rewards.
 * Shapes: logProbability [...R, ...], reward [...R] → []. Axes beyond the reward's are summed: they are the draws that
 * earned it together. Such as [B, H, T] and [B].
 * Conventions: to be minimised, and added to other losses; its value means nothing, its gradient does. No gradient
 * reaches the rewards. A learned baseline adds ½(R_n − b_n)² and gets that gradient alone; no other has one.
 * Cost: O(size). Papers: Williams 1992, "Simple statistical gradient-following algorithms for connectionist
 * reinforcement learning"; Xu et al. 2015, §4.1, arxiv.org/abs/1502.03044; Mnih et al. 2014, arxiv.org/abs/1406.6247.
 *
 * @throws ShapeError DIMENSION when shapes do not fit · OptionError OPTION
 * @example
 * const scores = tf.variable(tf.zeros([2, 5]));
 * const loss = () => {
 *   const weights = softmax(scores);
 *   const index = sampleCategorical(weights, { seed: 7 });
 *   const reward = tf.cast(tf.equal(index, 3), "float32");
 *   return scoreFunctionLoss(logProbability(weights, index), reward, { entropy: entropy(weights) });
 * };
 * tf.variableGrads(loss, [scores]).grads;
 */
export function scoreFunctionLoss(
  logProbability: tf.Tensor,
  reward: tf.Tensor,
  options: ScoreFunctionOptions = {},
): tf.Scalar {
  const op = "scoreFunctionLoss";
  const { baseline = { kind: "none" }, entropy, entropyWeight = 0.01 } = options;
  if (!baselineKinds.includes(baseline.kind)) {
    const choices = baselineKinds.map((kind) => `"${kind}"`);
    throw new OptionError("OPTION", notAChoice({ op, name: "baseline.kind", choices, got: baseline.kind }));
  }
  checkNotNegative(op, "entropyWeight", entropyWeight);
  const draws = { name: "logProbability [...R, ...]", shape: logProbability.shape };
  const leading = { ...draws, shape: logProbability.shape.slice(0, reward.rank) };
  checkShape(op, leading.shape, draws, { name: "reward [...R]", shape: reward.shape });
  if (entropy) checkShape(op, draws.shape, draws, { name: "entropy", shape: entropy.shape });
  return tf.tidy(() => {
    const earned = detached(reward);
    const b = baselineValue(op, baseline, reward.shape);
    const advantage = tf.sub(earned, typeof b === "number" ? b : detached(b));
    const terms = [tf.mul(advantage, perReward(logProbability, reward.rank))];
    if (entropy) terms.push(tf.mul(perReward(entropy, reward.rank), entropyWeight));
    if (baseline.kind === "learned") terms.push(tf.mul(tf.square(tf.sub(earned, b)), -0.5));
    return tf.neg(tf.mean(tf.addN(terms)));
  }) as tf.Scalar;
}

/** Sums over the axes beyond the reward's. */
function perReward(x: tf.Tensor, rank: number): tf.Tensor {
  return x.rank === rank
    ? x
    : tf.sum(
        x,
        x.shape.slice(rank).map((_, axis) => rank + axis),
      );
}

interface Named {
  name: string;
  shape: number[];
}

function checkRows(op: string, rows: Named, index: Named): void {
  checkShape(op, rows.shape.slice(0, -1), rows, index);
}

/** Throws DIMENSION unless b has the shape that is wanted of it. */
function checkShape(op: string, wanted: number[], a: Named, b: Named): void {
  if (wanted.length === b.shape.length && wanted.every((n, axis) => n === b.shape[axis])) return;
  const details = { op, letter: "leading shape", a: a.name, aShape: a.shape, b: b.name, bShape: b.shape };
  throw new ShapeError("DIMENSION", unequal(details));
}
