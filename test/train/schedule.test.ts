import { describe, expect, it } from "vitest";
import {
  constantSchedule,
  cosineSchedule,
  inverseSqrtSchedule,
  linearSchedule,
} from "../../src/train/schedule.ts";

const W = 7;
const K = 31;

describe("every schedule", () => {
  it.each([
    ["constant", constantSchedule({ peak: 0.3, warmupSteps: W })],
    ["inverse square root", inverseSqrtSchedule({ peak: 0.3, warmupSteps: W })],
    ["linear", linearSchedule({ peak: 0.3, warmupSteps: W, steps: K })],
    ["cosine", cosineSchedule({ peak: 0.3, warmupSteps: W, steps: K, floor: 0.01 })],
  ])("climbs in a straight line to the peak at step W − 1 and never rises after: %s", (_, rate) => {
    for (let k = 0; k < W; k++) expect(rate(k)).toBeCloseTo((0.3 * (k + 1)) / W, 15);
    expect(rate(W - 1)).toBe(0.3);
    for (let k = W; k < K + 10; k++) expect(rate(k)).toBeLessThanOrEqual(rate(k - 1));
    expect(rate(K + 10)).toBeGreaterThanOrEqual(0);
  });
});

it("constantSchedule stays at its peak, from step 0 without warm-up", () => {
  const rate = constantSchedule({ peak: 2 });
  expect([rate(0), rate(1), rate(1e6)]).toEqual([2, 2, 2]);
});

it("inverseSqrtSchedule halves when the steps are four times as many", () => {
  const rate = inverseSqrtSchedule({ peak: 1, warmupSteps: 100 });
  expect([rate(99), rate(399), rate(1599)]).toEqual([1, 0.5, 0.25]);
});

it("linearSchedule falls by equal parts and would be at the floor one step after the last", () => {
  const rate = linearSchedule({ peak: 1, steps: 8, floor: 0.5 });
  expect([0, 1, 4, 7, 8, 9].map(rate)).toEqual([1, 0.9375, 0.75, 0.5625, 0.5, 0.5]);
});

it("cosineSchedule is at the middle half-way, at the floor at the end and after it", () => {
  const rate = cosineSchedule({ peak: 3, warmupSteps: 2, steps: 14, floor: 1 });
  expect(rate(2)).toBe(3);
  expect(rate(8)).toBeCloseTo(2, 14);
  // A third of the way: cos(π/3) = 1/2.
  expect(rate(6)).toBeCloseTo(1 + (2 * 1.5) / 2, 14);
  expect([rate(14), rate(99)]).toEqual([1, 1]);
});

it.each<[string, () => unknown, string]>([
  [
    "a peak that is no number",
    () => constantSchedule({ peak: Number.NaN }),
    "constantSchedule: peak must be a number from 0, got NaN; pass another value",
  ],
  [
    "an inverse square root without warm-up",
    () => inverseSqrtSchedule({ peak: 1, warmupSteps: 0 }),
    "inverseSqrtSchedule: warmupSteps must be a whole number from 1, got 0; pass another value",
  ],
  [
    "a run that ends with its warm-up",
    () => linearSchedule({ peak: 1, warmupSteps: 7, steps: 7 }),
    "linearSchedule: steps must be a whole number from 8, got 7; pass another value",
  ],
  [
    "a floor below 0",
    () => cosineSchedule({ peak: 1, steps: 7, floor: -1 }),
    "cosineSchedule: floor must be a number from 0, got -1; pass another value",
  ],
])("refuses %s", (_, make, message) => {
  expect(make).toThrow(message);
});
