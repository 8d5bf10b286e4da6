import { describe, expect, test } from "vitest";
import { modelOfWeights } from "../../src/elements/model.ts";
import { nextToken } from "../../src/elements/parts/find.ts";
import { regionSentence, sides } from "../../src/elements/parts/region.ts";

const weights = [
  [0.5, 0.25, 0.25],
  [0, 0.75, 0.25],
];
const mask = [1, 1, 1, 0, 1, 1];
const [layer] = modelOfWeights("test", {
  weights,
  mask,
  rowTokens: ["a", "b"],
  columnTokens: ["x", "y", "z"],
}).layers;

describe("a region", () => {
  test("has its corners in any order", () => {
    const region = { from: { query: 1, key: 2 }, to: { query: 0, key: 1 } };
    expect(sides(region)).toEqual({ queries: [0, 1], keys: [1, 2] });
    expect(sides({ from: { query: 1, key: 2 } })).toEqual({ queries: [1, 1], keys: [2, 2] });
  });

  test("is told by its share of what its queries give, and its strongest pair", () => {
    expect(regionSentence(layer!, 0, { from: { query: 1, key: 1 }, to: { query: 0, key: 1 } })).toBe(
      "queries 0–1, keys 1–1: 50 % of what these queries give; strongest “b” → “y” (0.750)",
    );
    expect(regionSentence(layer!, 0, { from: { query: 1, key: 0 } })).toBe(
      "queries 1–1, keys 0–0: 0 % of what these queries give",
    );
  });
});

test("nextToken goes on after the last find, around the end, whatever the case", () => {
  const tokens = ["The", "cat", "the", "mat"];
  expect([-1, 0, 2].map((at) => nextToken(tokens, "THE", at))).toEqual([0, 2, 0]);
  expect(nextToken(tokens, "dog", 1)).toBe(-1);
});
