import { expect, test } from "vitest";
import { blockDiagonal, mergeWeights } from "../../../src/tasks/translation/alignment.ts";

test("merged weights sum over a source word's pieces and average over a target word's", () => {
  const pieces = [
    [0.1, 0.2, 0.7],
    [0.3, 0.4, 0.3],
    [0.5, 0.25, 0.25],
  ];
  const merged = mergeWeights(
    pieces,
    [
      [0, 2],
      [2, 3],
    ],
    [
      [0, 1],
      [1, 3],
    ],
  );
  // Row 1: ((0.1 + 0.3) / 2, (0.9 + 0.7) / 2); row 2 as it was, its last two columns added.
  expect(merged[0][0]).toBeCloseTo(0.2, 12);
  expect(merged[0][1]).toBeCloseTo(0.8, 12);
  expect(merged[1]).toEqual([0.5, 0.5]);
});

test("rows of distributions stay distributions", () => {
  const merged = mergeWeights(
    [
      [0.25, 0.75],
      [1, 0],
    ],
    [[0, 2]],
    [
      [0, 1],
      [1, 2],
    ],
  ); // prettier-ignore
  expect(merged[0].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
});

test("parts of a line look only at their own source", () => {
  expect(blockDiagonal([[[1]], [[0.5, 0.5]]], [1, 2])).toEqual([
    [1, 0, 0],
    [0, 0.5, 0.5],
  ]);
});
