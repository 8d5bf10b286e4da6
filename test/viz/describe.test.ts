import { describe, expect, it } from "vitest";
import { cellsOf, type HeatmapData } from "../../src/viz/data.ts";
import { summary, topColumns, warnings } from "../../src/viz/describe.ts";
import { CAUSAL, SEED } from "./fixtures.ts";

const warn = (data: HeatmapData) => warnings("heatmap", cellsOf("heatmap", data), data);
const row = (weights: number[], mask?: number[]): HeatmapData => ({
  weights,
  rowTokens: ["a"],
  columnTokens: weights.map((_, j) => `k${j}`),
  ...(mask && { mask }),
});
const TAIL = "; the colours are still exact, but do not read them as shares of attention";
const RULE =
  "heatmap: every row of weights must be a distribution (nothing negative, sum 1 within 0.001), got row ";

describe("warnings", () => {
  it("is silent about distributions, with and without a mask", () => {
    expect(warn(SEED)).toEqual([]);
    expect(warn(CAUSAL)).toEqual([]);
  });

  it("counts 0.001 as rounding and more as a fault", () => {
    expect(warn(row([0.5, 0.5009]))).toEqual([]);
    expect(warn(row([0.5, 0.5011]))).toEqual([`${RULE}0 “a” with a sum of 1.0011${TAIL}`]);
    expect(warn(row([0, 0]))).toEqual([`${RULE}0 “a” with a sum of 0${TAIL}`]);
  });

  it("names a negative weight even where the sum is 1", () => {
    expect(warn(row([1.25, -0.25]))).toEqual([`${RULE}0 “a” with a weight of -0.25${TAIL}`]);
  });

  it("has nothing against a row that may attend to nothing", () => {
    expect(warn(row([0, 0], [0, 0]))).toEqual([]);
  });

  it("is one sentence however many rows there are", () => {
    const data = { weights: [[0.9], [1], [2], [3]], rowTokens: ["a", "b", "c", "d"], columnTokens: ["x"] };
    expect(warn(data)).toEqual([`${RULE}0 “a” with a sum of 0.9 and 2 more such rows${TAIL}`]);
  });

  it.each([
    ["flat", (weights: number[]) => weights],
    ["nested", (weights: number[]) => [weights]],
  ])("names the first weight that is not finite in %s data", (_, shape) => {
    expect(warn({ ...row([1, 0, 0]), weights: shape([1, Number.NaN, Number.POSITIVE_INFINITY]) })).toEqual([
      "heatmap: every weight that is not masked must be finite, got 2 that are not, the first NaN at row 0, " +
        "column 1; they are drawn apart from the colour scale",
    ]);
  });
});

describe("summary", () => {
  const say = (data: HeatmapData) => summary(cellsOf("heatmap", data), data);

  it("is one sentence with the strongest pair and the masked cells", () => {
    expect(say(SEED)).toBe("5 output tokens over 7 input tokens; “J'” attends most to “I” (0.90).");
    expect(say(CAUSAL)).toBe(
      "5 output tokens over 5 input tokens; “the” attends most to “the” (1.00); 10 of 25 cells masked.",
    );
    expect(say(row([0.5], [0]))).toBe(
      "1 output token over 1 input token; nothing to attend to; 1 of 1 cell masked.",
    );
  });
});

describe("topColumns", () => {
  it("is in order of weight, ties in order of columns, without masked cells", () => {
    const matrix = cellsOf("test", row([0.1, 0.3, 0.3, 0.9, 0.2], [1, 1, 1, 0, 1]));
    expect(topColumns(matrix, 0, 3)).toEqual([
      { column: 1, weight: 0.3 },
      { column: 2, weight: 0.3 },
      { column: 4, weight: 0.2 },
    ]);
  });
});
