import { expect, it } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import { heads } from "../../src/viz/index.ts";
import { diagonal, HOSTILE, SEED } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

/** The seed's map, each head looking n inputs further to the right. */
const shifted = (n: number) =>
  (SEED.weights as number[][]).map((row) => row.map((_, s) => row[(s - n + row.length) % row.length]!));
const some = (count: number) =>
  Array.from({ length: count }, (_, h) => ({ name: `head ${h}`, weights: shifted(h) }));
const { rowTokens, columnTokens } = SEED;

it("draws eight heads over one another, each with a colour, a dash and a name", async () => {
  const svg = heads({ heads: some(8), rowTokens, columnTokens }, { theme: "auto" });
  await expect(svg).toMatchFileSnapshot("golden/heads.svg");
  const dashes = all(parseXml(svg), "g")
    .filter(({ attributes }) => attributes.class?.startsWith("h h"))
    .map(({ attributes, children }) => [
      attributes.class,
      children.filter((child) => child.attributes.class !== "o")[0]!.attributes["stroke-dasharray"],
    ]);
  // Eight groups of edges, and the eight samples of the legend.
  expect(dashes).toHaveLength(16);
  expect(new Set(dashes.slice(0, 8).map(([, dash]) => dash)).size).toBe(8);
  expect(dashes.slice(8)).toEqual(dashes.slice(0, 8));
});

it("draws of each head and output the strongest edges that hold the mass, and says how many", () => {
  const weights = [[0.5, 0.3, 0.2]];
  const one = { heads: [{ name: "a", weights }], rowTokens: ["t"], columnTokens: ["x", "y", "z"] };
  const titles = (mass: number) =>
    all(parseXml(heads(one, { mass })), "title")
      .slice(1)
      .map(({ text }) => text);
  expect(titles(0.5)).toEqual(["a: “t” reads “x”, 0.500"]);
  expect(titles(0.6)).toEqual(["a: “t” reads “y”, 0.300", "a: “t” reads “x”, 0.500"]);
  const { text } = all(parseXml(heads(one, { mass: 0.6 })), "desc")[0]!;
  expect(text).toBe(
    "1 output tokens over 3 input tokens; one head. 2 of 3 edges, 60 % of each head and output.",
  );
});

it("never draws more than 2,000 edges", () => {
  const tokens = Array.from({ length: 60 }, (_, n) => `t${n}`);
  const many = Array.from({ length: 4 }, (_, h) => ({ name: `${h}`, weights: diagonal(60, 60) }));
  const svg = heads({ heads: many, rowTokens: tokens, columnTokens: tokens }, { mass: 1 });
  expect(svg.match(/ reads /g)).toHaveLength(2000);
});

it("keeps hostile tokens and names inert", () => {
  const weights = HOSTILE.map((_, t) => HOSTILE.map((_, s) => Number(s === t)));
  const named = HOSTILE.slice(0, 8).map((name) => ({ name, weights }));
  const svg = parseXml(heads({ heads: named, rowTokens: HOSTILE, columnTokens: HOSTILE }));
  expect(all(svg, "script")).toEqual([]);
});

it("refuses no heads, nine of them, maps that do not fit, and a mass of 0", () => {
  expect(() => heads({ heads: some(9), rowTokens, columnTokens })).toThrow(
    "heads: heads must be a list of 1 to 8, got 9; choose some of them, or draw them side by side with grid",
  );
  expect(() => heads({ heads: [], rowTokens, columnTokens })).toThrow(/^heads: heads must be a list/);
  expect(() => heads({ heads: some(1), rowTokens: ["a"], columnTokens })).toThrow(ShapeError);
  expect(() => heads({ heads: some(1), rowTokens, columnTokens }, { mass: 0 })).toThrow(
    "heads: mass must be a number above 0, at most 1, got 0; pass such a share",
  );
});
