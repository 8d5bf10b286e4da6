import { expect, it } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import { colorAt, compare, type HeatmapData, hex } from "../../src/viz/index.ts";
import { SEED } from "./fixtures.ts";
import { all, parseXml, type XmlElement } from "./xml.ts";

const OTHER: HeatmapData = { ...SEED, weights: [...(SEED.weights as number[][])].reverse() };
const fills = (svg: XmlElement) =>
  all(svg, "rect")
    .filter(({ children }) => children.length > 0)
    .map(({ attributes }) => attributes.fill);

it("draws both maps and their difference", async () => {
  const svg = compare(SEED, OTHER, { names: ["layer 1", "layer 2"], theme: "auto" });
  await expect(svg).toMatchFileSnapshot("golden/compare.svg");
  expect(all(parseXml(svg), "svg").length + 1).toBeGreaterThanOrEqual(4);
});

it("shows a difference of 0 in the middle colour, and the largest at the ends", () => {
  const words = { rowTokens: ["a"], columnTokens: ["x", "y", "z"] };
  const svg = parseXml(
    compare({ ...words, weights: [0.7, 0.2, 0.1] }, { ...words, weights: [0.1, 0.8, 0.1] }),
  );
  expect(fills(svg).slice(6)).toEqual([1, 0, 0.5].map((t) => hex(colorAt("PuOr", t))));
});

it("masks in the difference what is masked in either, and has no warning about rows of differences", () => {
  const words = { rowTokens: ["a"], columnTokens: ["x", "y"] };
  const svg = parseXml(
    compare({ ...words, weights: [1, 0], mask: [1, 0] }, { ...words, weights: [0.5, 0.5] }),
  );
  const drawn = fills(svg);
  expect(drawn[4]).toMatch(/^#/);
  expect(drawn[5]).toMatch(/^url\(#heed-\w+-m\)$/);
});

it("takes equal maps, whose difference is 0 everywhere", () => {
  expect(new Set(fills(parseXml(compare(SEED, SEED))).slice(70))).toEqual(
    new Set([hex(colorAt("PuOr", 0.5))]),
  );
});

it("refuses maps of different sizes", () => {
  const smaller = { weights: [[1]], rowTokens: ["a"], columnTokens: ["b"] };
  expect(() => compare(SEED, smaller)).toThrow(ShapeError);
  expect(() => compare(SEED, smaller)).toThrow(
    /^compare: the first map and the second must have the same shape, got shapes \[5, 7\] and \[1, 1\]/,
  );
});
