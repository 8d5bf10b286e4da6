import { expect, it } from "vitest";
import { adjustedRandIndex } from "../../../proofs/set/blobs.ts";
import { RandomStream } from "../../../src/core/random.ts";

it("the adjusted Rand index is 1 for one partition under other names, and that of scikit-learn's documentation otherwise", () => {
  expect(adjustedRandIndex([0, 0, 1, 1], [1, 1, 0, 0])).toBe(1);
  expect(adjustedRandIndex([0, 0, 1, 2], [0, 0, 1, 1])).toBeCloseTo(4 / 7, 12);
  expect(adjustedRandIndex([0, 0, 1, 1], [0, 0, 1, 2])).toBeCloseTo(4 / 7, 12);
  expect(adjustedRandIndex([0, 0, 0, 0], [0, 1, 2, 3])).toBe(0);
});

it("the adjusted Rand index of parts that are drawn is 0 on average", () => {
  const random = new RandomStream(1);
  const draw = () => Array.from({ length: 60 }, () => random.integer(3));
  const all = Array.from({ length: 200 }, () => adjustedRandIndex(draw(), draw()));
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, n) => sum + (n - mean) ** 2, 0) / all.length);
  expect(Math.abs(mean)).toBeLessThan((4 * deviation) / Math.sqrt(all.length));
});
