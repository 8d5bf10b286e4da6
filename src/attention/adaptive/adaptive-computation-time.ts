import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, unequal } from "../../core/faults.ts";
import { detached } from "../../ops/attention/guard.ts";
import { oneHotKeys } from "../normalize/best-key.ts";

export interface AdaptiveComputationTimeOptions {
  /** ε, what may be missing from 1 when a position halts: lets one step be enough. From 0 to below 1. @default 0.01 */
  epsilon?: number;
}

export interface AdaptiveComputationTimeResult {
  /** [..., C] */
  output: tf.Tensor;
  /** p, [..., N]: what each step counts; rows sum to 1. */
  weights: tf.Tensor;
  /** ρ = steps taken + remainder, [...]: add its mean, weighted, to the loss. */
  ponder: tf.Tensor;
  /** The steps taken, int32 [...], from 1 to N. */
  steps: tf.Tensor;
}

/**
 * Adaptive computation time: every position stops thinking when it has made up its mind.
 *
 *     M = min{n : Σ_{m ≤ n} h_m ≥ 1 − ε} (N where there is none),    R = 1 − Σ_{m < M} h_m
 *     p_n = h_n for n < M,  R for n = M,  0 after it;    y = Σ_n p_n y_n,    ρ = M + R
 *
 * Symbols: y_n the state after step n, h_n the probability to halt there, M the steps taken, R the remainder, p the
 * weights, ρ the ponder cost. Shapes: h [..., N], states [..., N, C] → output [..., C], weights [..., N], ponder and
 * steps [...]. Such as [B, T, N] for N layers over a sequence.
 * Conventions: attention over the depth of a network. Weights after the halt are exactly 0, and NaN there leaks
 * nowhere. M counts as a constant, so the gradient of ρ is that of R: −1 for each step before the halt.
 * Cost: O(size). Paper: Graves 2016, §2, arxiv.org/abs/1603.08983; over layers: Dehghani et al. 2018, §2.2,
 * arxiv.org/abs/1807.03819.
 *
 * @throws ShapeError DIMENSION when the states do not fit, SHAPE when there are no steps · OptionError OPTION
 * @draws
 * const eager = tf.reshape(tf.linspace(0.06, 0.7, 12), [12, 1]);
 * const growing = tf.reshape(tf.linspace(0.5, 1.5, 12), [1, 12]);
 * return adaptiveComputationTime(tf.mul(eager, growing), tf.zeros([12, 12, 1])).weights;
 * @example
 * const h = tf.tensor2d([[0.25, 0.5, 0.5, 0.5]]);
 * const { weights, ponder, steps } = adaptiveComputationTime(h, tf.ones([1, 4, 7]));
 * weights; // [[0.25, 0.5, 0.25, 0]]
 * ponder; // [3.25]
 * steps; // [3]
 */
export function adaptiveComputationTime(
  h: tf.Tensor,
  states: tf.Tensor,
  { epsilon = 0.01 }: AdaptiveComputationTimeOptions = {},
): AdaptiveComputationTimeResult {
  const op = "adaptiveComputationTime";
  const N = h.shape[h.rank - 1];
  if (!(epsilon >= 0 && epsilon < 1)) {
    throw new OptionError(
      "OPTION",
      outOfRange({
        op,
        name: "epsilon",
        rule: "at least 0 and below 1",
        got: epsilon,
      }),
    );
  }
  if (!N) {
    const rule = "h [..., N] must have N ≥ 1 steps";
    throw new ShapeError("SHAPE", {
      op,
      rule,
      got: `N = ${N ?? "none"}`,
      remedy: "a position takes one step at least",
    });
  }
  if (states.rank !== h.rank + 1 || h.shape.some((n, axis) => n !== states.shape[axis])) {
    const names = { letter: "leading shape", a: "h [..., N]", b: "states [..., N, C]" };
    throw new ShapeError("DIMENSION", unequal({ op, ...names, aShape: h.shape, bShape: states.shape }));
  }
  return tf.tidy(() => {
    const undecided = tf.step(tf.sub(1 - epsilon, tf.cumsum(detached(h), h.rank - 1)));
    const before = tf.mul(undecided, tf.tensor1d(Array.from({ length: N }, (_, n) => (n < N - 1 ? 1 : 0))));
    const taken = tf.sum(before, -1); // the steps before the last one
    const last = oneHotKeys(tf.cast(taken, "int32"), N);
    const spent = tf.mul(before, h);
    const remainder = tf.sub(1, tf.sum(spent, -1, true));
    const weights = tf.add(spent, tf.mul(last, remainder));
    const reached = tf.expandDims(tf.greater(tf.add(before, last), 0), -1);
    const seen = tf.where(reached, states, tf.zerosLike(states));
    return {
      output: tf.sum(tf.mul(tf.expandDims(weights, -1), seen), -2),
      weights,
      ponder: tf.add(tf.add(taken, 1), tf.squeeze(remainder, [h.rank - 1])),
      steps: tf.cast(tf.add(taken, 1), "int32"),
    };
  });
}
