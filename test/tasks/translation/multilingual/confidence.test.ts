import { expect, test } from "vitest";
import { RandomStream } from "../../../../src/core/random.ts";
import {
  confidenceOf,
  features,
  fitCalibration,
  reliability,
} from "../../../../src/tasks/translation/multilingual/confidence.ts";

const hypothesis = (ids: number[], logProbability: number) => ({
  ids,
  logProbability,
  weights: [],
  score: 0,
  ended: true,
});

test("the features are the mean log-probability, the sum, the length and the lead over the next", () => {
  const best = hypothesis([5, 6, 7], -2);
  expect(features(best, hypothesis([5], -2))).toEqual([-0.5, -0.5, Math.log(4) - 2, 0.5]);
  expect(features(best, undefined)[3]).toBe(1);
});

test("a fit finds the probabilities that outcomes were drawn from, and its figures are true", () => {
  const random = new RandomStream(3);
  const truth = { bias: 0.7, weights: [1.5, -2] };
  const N = 4000;
  const rows = Array.from({ length: N }, () => [random.normal(), random.normal()]);
  const good = rows.map((row) => Number(random.uniform() < confidenceOf(truth, row)) as 0 | 1);
  const found = fitCalibration(rows, good);
  // The standard error of each is about 2/√(N·p(1 − p)) = 0.08 at most; four of those.
  expect(Math.abs(found.bias - truth.bias)).toBeLessThan(0.3);
  expect(Math.abs(found.weights[0]! - truth.weights[0]!)).toBeLessThan(0.3);
  expect(Math.abs(found.weights[1]! - truth.weights[1]!)).toBeLessThan(0.3);
  const figures = rows.map((row) => confidenceOf(found, row));
  const { bins, error } = reliability(figures, good);
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(N);
  expect(error).toBeLessThan(0.03);
  // Figures of another model are not true.
  expect(
    reliability(
      figures.map((p) => 1 - p),
      good,
    ).error,
  ).toBeGreaterThan(0.3);
});

test("outcomes that a line separates give finite figures", () => {
  const { bias, weights } = fitCalibration([[-2], [-1], [1], [2]], [0, 0, 1, 1]);
  expect(Number.isFinite(bias)).toBe(true);
  expect(confidenceOf({ bias, weights }, [2])).toBeGreaterThan(0.99);
});

test("reliability of a hand-made case: 0.8 said, half of it good, is off by 0.3", () => {
  const { bins, error } = reliability([0.85, 0.75], [1, 0], 2);
  expect(bins[1]).toEqual({ from: 0.5, to: 1, count: 2, confidence: 0.8, good: 0.5 });
  expect(error).toBeCloseTo(0.3, 12);
});
