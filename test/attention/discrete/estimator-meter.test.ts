import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Baseline,
  entropy,
  gumbelSoftmax,
  logProbability,
  measureEstimator,
  sampleCategorical,
  scoreFunctionLoss,
  straightThrough,
} from "../../../src/attention/discrete/index.ts";
import { softmax } from "../../../src/attention/normalize/index.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { random, tensor } from "../support.ts";

/** Four queries over eight keys; every key pays about 3, some more than others. */
const [T, S] = [4, 8];
const ENTROPY_WEIGHT = 0.5;
const DRAWS = 600;

describe("estimators of the gradient of an expected reward, 4 queries over 8 keys", () => {
  let scores: tf.Tensor;
  let rewards: tf.Tensor;
  beforeAll(async () => {
    await useHeedBackend();
    scores = tensor(random(1, [T, S]));
    rewards = tf.add(tensor(random(2, [T, S])), 3);
  });

  /** −E[R] − λ H, enumerated. */
  const expected = (x: tf.Tensor) => {
    const alpha = softmax(x);
    const reward = tf.mean(tf.sum(tf.mul(alpha, rewards), -1));
    return tf.neg(tf.add(reward, tf.mul(tf.mean(entropy(alpha)), ENTROPY_WEIGHT)));
  };
  const reinforce = (baseline: (alpha: tf.Tensor) => Baseline) => (x: tf.Tensor, seed: number) => {
    const alpha = softmax(x);
    const index = sampleCategorical(alpha, { seed });
    const reward = tf.sum(tf.mul(rewards, tf.oneHot(tf.cast(index, "int32"), S)), -1);
    const options = { baseline: baseline(alpha), entropy: entropy(alpha), entropyWeight: ENTROPY_WEIGHT };
    return scoreFunctionLoss(logProbability(alpha, index), reward, options);
  };
  const measure = (surrogate: (x: tf.Tensor, seed: number) => tf.Tensor) =>
    measureEstimator(scores, expected, surrogate, { draws: DRAWS, seed: 11 });

  it("the score function has the exact gradient as its mean within 3 standard errors, and a baseline lowers E‖g‖²", () => {
    const none = measure(reinforce(() => ({ kind: "none" })));
    const average = measure(reinforce(() => ({ kind: "movingAverage", value: 3 })));
    const learned = measure(reinforce(() => ({ kind: "learned", value: tf.mean(rewards, -1) })));
    const exact = measure(reinforce((weights) => ({ kind: "exactMean", weights, rewards })));
    for (const report of [none, average, learned, exact]) {
      expect(report.worst).toBeLessThanOrEqual(3);
      expect(report.standardError.every((error) => error > 0)).toBe(true);
    }
    for (const report of [average, learned, exact]) {
      expect(report.meanSquare).toBeLessThan(none.meanSquare / 4);
      expect(report.variance).toBeLessThan(none.variance / 4);
    }
  });

  it("straight-through and Gumbel-softmax are biased, and have less variance than the score function alone", () => {
    /** A reward of weights that is not linear in them, so that a soft choice is not worth the mean of hard ones. */
    const worth = (weights: tf.Tensor) => tf.mean(tf.square(tf.sum(tf.mul(weights, rewards), -1)));
    const enumerated = (x: tf.Tensor) => tf.neg(tf.mean(tf.sum(tf.mul(softmax(x), tf.square(rewards)), -1)));
    const loss = (relax: (x: tf.Tensor, seed: number) => tf.Tensor) => (x: tf.Tensor, seed: number) =>
      tf.neg(worth(relax(x, seed)));
    const of = (surrogate: (x: tf.Tensor, seed: number) => tf.Tensor) =>
      measureEstimator(scores, enumerated, surrogate, { draws: DRAWS, seed: 12 });
    const unbiased = of((x, seed) => {
      const alpha = softmax(x);
      const index = sampleCategorical(alpha, { seed });
      const reward = tf.sum(tf.mul(tf.square(rewards), tf.oneHot(tf.cast(index, "int32"), S)), -1);
      return scoreFunctionLoss(logProbability(alpha, index), reward);
    });
    const biased = {
      straightThrough: of(loss((x, seed) => straightThrough(softmax(x), { seed }))),
      gumbel: of(loss((x, seed) => gumbelSoftmax(x, { seed, temperature: 1 }))),
      gumbelHard: of(loss((x, seed) => gumbelSoftmax(x, { seed, temperature: 1, hard: true }))),
    };
    expect(unbiased.worst).toBeLessThanOrEqual(3);
    for (const report of Object.values(biased)) {
      expect(report.worst).toBeGreaterThan(5);
      expect(report.variance).toBeLessThan(unbiased.variance / 4);
    }
  });

  it("the meter gives the moments of an estimator that is known", () => {
    // g = 2 + u with u = −1 or 1 by turns, against the gradient 1: bias 1, variance 100/99, E g² = 5.
    const report = measureEstimator(
      tf.scalar(0),
      (x) => tf.mul(x, 1),
      (x, seed) => tf.mul(x, 2 + (seed % 2 === 0 ? 1 : -1)),
      { draws: 100 },
    );
    expect([...report.exact, ...report.bias]).toEqual([1, 1]);
    expect(report.variance).toBeCloseTo(100 / 99, 12);
    expect(report.standardError[0]).toBeCloseTo(Math.sqrt(1 / 99), 12);
    expect(report.worst).toBeCloseTo(Math.sqrt(99), 10);
    expect(report.meanSquare).toBe(5);
  });

  it("leaves no tensor behind, and refuses a single draw", () => {
    const before = tf.memory().numTensors;
    measureEstimator(
      scores,
      expected,
      reinforce(() => ({ kind: "none" })),
      { draws: 2 },
    );
    expect(tf.memory().numTensors).toBe(before);
    const attempt = () => measureEstimator(scores, expected, expected, { draws: 1 });
    const message =
      "measureEstimator: draws must be an integer ≥ 2, got 1; choose one in that range or leave it out";
    expect(attempt).toThrow(OptionError);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
