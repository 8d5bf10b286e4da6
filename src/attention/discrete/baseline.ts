import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, unequal } from "../../core/faults.ts";
import { detached } from "../../ops/attention/guard.ts";

/**
 * What the score-function estimator subtracts from the rewards. `movingAverage` takes the value of a `MovingAverage`,
 * `learned` a prediction in the rewards' shape or a scalar, `exactMean` the rewards of all keys, where they are known.
 */
export type Baseline =
  | { kind: "none" }
  | { kind: "movingAverage"; value: number }
  | { kind: "learned"; value: tf.Tensor }
  | { kind: "exactMean"; weights: tf.Tensor; rewards: tf.Tensor };

export const baselineKinds: readonly Baseline["kind"][] = ["none", "movingAverage", "learned", "exactMean"];

/** b, in the rewards' shape or one that broadcasts to it. */
export function baselineValue(op: string, baseline: Baseline, rewards: number[]): number | tf.Tensor {
  if (baseline.kind === "none") return 0;
  if (baseline.kind === "movingAverage") return baseline.value;
  const value =
    baseline.kind === "learned" ? baseline.value : exactMean(detached(baseline.weights), baseline.rewards);
  const fits = value.rank === 0 || value.shape.join() === rewards.join();
  if (fits) return value;
  const names = { letter: "shape", a: "reward [...R]", b: `the ${baseline.kind} baseline` };
  throw new ShapeError("DIMENSION", unequal({ op, ...names, aShape: rewards, bShape: value.shape }));
}

/** Σ_s α_s R_s: [..., S], [..., S] → [...] */
function exactMean(weights: tf.Tensor, rewards: tf.Tensor): tf.Tensor {
  return tf.sum(tf.mul(weights, rewards), -1);
}

/**
 * Moving average of the rewards, the baseline of Show, Attend and Tell.
 *
 *     b_k = decay · b_{k−1} + (1 − decay) · R̄_k,    b_0 = 0,    decay = 0.9
 *
 * Symbols: R̄_k the mean reward of step k. Conventions: give `value` to the loss before `update` sees the step's own
 * rewards: a baseline that knows them would bias the estimate. Cost: O(1), and reading the mean from the device.
 * Paper: Xu et al. 2015, §4.1, arxiv.org/abs/1502.03044.
 *
 * @throws OptionError OPTION when decay is not from 0 to below 1
 * @example
 * const average = new MovingAverage();
 * average.update(tf.tensor1d([1, 3]));
 * average.value; // 0.2
 */
export class MovingAverage {
  /** b */
  value = 0;
  readonly decay: number;

  constructor(decay = 0.9) {
    if (!(decay >= 0 && decay < 1)) {
      const details = { op: "MovingAverage", name: "decay", rule: "at least 0 and below 1", got: decay };
      throw new OptionError("OPTION", outOfRange(details));
    }
    this.decay = decay;
  }

  /** Takes in the rewards of one step. */
  update(reward: tf.Tensor): void {
    const mean = tf.tidy(() => tf.mean(reward).dataSync()[0]!);
    this.value = this.decay * this.value + (1 - this.decay) * mean;
  }
}
