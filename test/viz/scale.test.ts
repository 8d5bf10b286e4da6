import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { cellsOf } from "../../src/viz/data.ts";
import { type Domain, formatNumber, makeScale, ticks, typicalHigh } from "../../src/viz/scale.ts";

const matrix = cellsOf("test", {
  weights: [0.2, 0.4, 9],
  mask: [1, 1, 0],
  rowTokens: ["a"],
  columnTokens: ["x", "y", "z"],
});

describe("makeScale", () => {
  it.each([
    ["unit", 0, 1, "weight"],
    ["data", 0.2, 0.4, "weight (scaled to this map)"],
    [[0, 0.5], 0, 0.5, "weight (0 to 0.5)"],
  ] as const)("domain %j is named in the legend", (domain, low, high, label) => {
    expect(makeScale("heatmap", matrix, domain as Domain)).toMatchObject({ low, high, label });
  });

  it("clamps beyond the ends", () => {
    const { position } = makeScale("heatmap", matrix, [0.5, 1.5]);
    expect([-3, 0.5, 1, 1.5, 2].map(position)).toEqual([0, 0, 0.5, 1, 1]);
  });

  it("scales a map with one value, or with none, without dividing by zero", () => {
    const one = { rows: 1, columns: 1, values: new Float64Array([3]), kinds: new Uint8Array([0]) };
    expect(makeScale("heatmap", one, "data").position(3)).toBe(0.5);
    expect(makeScale("heatmap", { ...one, kinds: new Uint8Array([1]) }, "data")).toMatchObject({
      low: 0,
      high: 1,
    });
  });

  it("sqrt and log tell small weights apart, and say so", () => {
    const root = makeScale("heatmap", matrix, "unit", "weight", "sqrt");
    expect(root).toMatchObject({ low: 0, high: 1, label: "weight, sqrt scale", marks: ticks(0, 1) });
    expect([-1, 0, 0.25, 1, 2].map(root.position)).toEqual([0, 0, 0.5, 1, 1]);
    const log = makeScale("heatmap", matrix, "unit", "weight", "log");
    expect(log).toMatchObject({ low: 1e-6, high: 1, label: "weight, log scale" });
    expect(log.marks).toEqual([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]);
    // Logarithms are rounded.
    for (const [value, position] of [
      [0, 0],
      [1e-6, 0],
      [1e-3, 0.5],
      [0.1, 5 / 6],
      [1, 1],
      [2, 1],
    ] as const)
      expect(log.position(value)).toBeCloseTo(position, 12);
  });

  it("marks linear steps on a logarithmic scale that has no two powers of ten", () => {
    const scale = makeScale("heatmap", matrix, "data", "weight", "log");
    expect(scale).toMatchObject({ low: 0.2, high: 0.4, label: "weight (scaled to this map), log scale" });
    expect(scale.marks).toEqual(ticks(0.2, 0.4));
    expect(scale.position(Math.sqrt(0.08))).toBeCloseTo(0.5, 12);
  });

  it("refuses sqrt and log where weights may be negative, and scales that there are not", () => {
    const make = (domain: Domain, name: string) => () =>
      makeScale("heatmap", matrix, domain, "weight", name as "log");
    expect(make([-1, 1], "log")).toThrow(
      "heatmap: colorScale must be linear where weights may be negative, got log; leave it out, or pass a domain from 0",
    );
    expect(make("unit", "rank")).toThrow(
      'heatmap: colorScale must be one of "linear", "sqrt", "log", got "rank"; pick one of these',
    );
  });

  it.each([[[1, 0]], [[0, Number.NaN]], [[0, 0]]] as const)("refuses the domain %j", (domain) => {
    const make = () => makeScale("heatmap", matrix, domain as unknown as Domain);
    expect(make).toThrow(OptionError);
    expect(make).toThrow(
      `heatmap: domain must be two finite numbers, low < high, got [${domain.join(", ")}]; ` +
        'pass [0, 1], or "data" for the range of this map',
    );
  });
});

describe("ticks", () => {
  it.each([
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 0.1, [0, 0.02, 0.04, 0.06, 0.08, 0.1]],
    [0.13, 0.4, [0.15, 0.2, 0.25, 0.3, 0.35, 0.4]],
    [-1, 1, [-1, -0.5, 0, 0.5, 1]],
    [0, 700, [0, 100, 200, 300, 400, 500, 600, 700]],
  ])("from %d to %d are round", (low, high, expected) => {
    expect(ticks(low, high)).toEqual(expected);
  });

  it("stay between three and nine at every range", () => {
    for (let high = 0.001; high < 1000; high *= 1.07) {
      const count = ticks(-high / 3, high).length;
      expect(count).toBeGreaterThanOrEqual(3);
      expect(count).toBeLessThanOrEqual(9);
    }
  });
});

describe("formatNumber", () => {
  it.each([
    [0.1 + 0.2, "0.3"],
    [1 / 3, "0.333"],
    [-0, "0"],
    [1, "1"],
    [1e-7, "1e-7"],
  ])("writes %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

it.each([
  [[0.9, 0.05, 0.3], 1],
  [[0.2, 0.2], 1],
  [[0.013, 0.5, 0.01], 0.02],
  [[0.05, 0.05, 1], 0.05],
  [[0, 0], 1],
  [[], 1],
])("ends the colours of queries whose strongest weights are %j at %d", (strongest, high) => {
  expect(typicalHigh([...strongest])).toBe(high);
});

it("says where the colours of a typical domain end, and nothing where that is 1", () => {
  const cells = { rows: 1, columns: 2, values: Float64Array.of(0.03, 0.97), kinds: Uint8Array.of(0, 1) };
  expect(makeScale("test", cells, "typical").label).toBe("weight (0 to 0.03 or more)");
  const sharp = { ...cells, kinds: new Uint8Array(2) };
  expect(makeScale("test", sharp, "typical").label).toBe("weight");
});
