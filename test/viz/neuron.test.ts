import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { colorAt, hex, neuron } from "../../src/viz/index.ts";
import { HOSTILE } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

const wave = (D: number, n: number) => Array.from({ length: D }, (_, d) => Math.sin(n + d * (1 + n / 5)));
const WORDS = ["The", "cat", "sat", "on", "the", "mat"];
const keys = WORDS.map((_, s) => wave(24, s));
const softmax = (scores: readonly number[]) => {
  const sum = scores.reduce((total, x) => total + Math.exp(x), 0);
  return scores.map((x) => Math.exp(x) / sum);
};
const query = wave(24, 1);
const dots = keys.map((key) => key.reduce((sum, x, d) => sum + x * query[d]!, 0));
const weights = softmax(dots.map((x) => x / Math.sqrt(24)));
const data = { query, keys, queryToken: "cat", keyTokens: WORDS, weights };

it("draws the query, and its product with each key beside score and weight", async () => {
  await expect(neuron(data, { theme: "auto" })).toMatchFileSnapshot("golden/neuron.svg");
});

it("colours each product by q_d·k_sd around 0, and adds them up to the score", () => {
  // Products 2, −1 and 0, the last exactly in the middle; score (2 − 1 + 0)·0.5.
  const svg = parseXml(
    neuron({
      query: [1, -1, 3],
      keys: [[2, 1, 0]],
      queryToken: "q",
      keyTokens: ["k"],
      weights: [1],
      scale: 0.5,
    }),
  );
  const fills = all(svg, "rect")
    .map(({ attributes }) => attributes.fill)
    .filter((fill) => fill?.startsWith("#"));
  const color = (value: number, bound: number) => hex(colorAt("PuOr", 0.5 + value / (2 * bound)));
  expect(fills).toEqual([...[1, -1, 3].map((x) => color(x, 3)), ...[2, -1, 0].map((x) => color(x, 2))]);
  const texts = all(svg, "text").map(({ text }) => text);
  expect(texts).toContain("0.50");
  expect(texts.at(-1)).toBe("most of the score with “k”: channel 0 +1, channel 1 −0.5, channel 2 +0.");
});

it("gives rows to the keys of the largest weights, in their own order, and says how many there are", () => {
  const svg = neuron({ ...data, weights: [0.1, 0.3, 0, 0.4, 0, 0.2] }, { most: 3 });
  const texts = all(parseXml(svg), "text").map(({ text }) => text);
  expect(texts.filter((text) => WORDS.includes(text))).toEqual(["cat", "on", "mat"]);
  expect(texts.at(-1)).toMatch(/^3 of 6 keys; most of the score with “on”: channel /);
});

it("keeps hostile tokens inert", () => {
  for (const token of HOSTILE) {
    const hostile = { query: [1], keys: [[1]], queryToken: token, keyTokens: [token], weights: [1] };
    const svg = parseXml(neuron(hostile, { title: token }));
    expect(all(svg, "script")).toEqual([]);
  }
});

it("refuses no channels, keys of another width, and numbers that are not finite", () => {
  expect(() => neuron({ ...data, query: [] })).toThrow(OptionError);
  expect(() => neuron({ ...data, keys: [] })).toThrow(/^neuron: keys must be one key or more, got none/);
  expect(() => neuron({ ...data, query: [1, 2] })).toThrow(
    /^neuron: keys\[0\] must hold D = 2 numbers, got 24/,
  );
  expect(() => neuron({ ...data, weights: [1] })).toThrow(ShapeError);
  const broken = query.map((x, d) => (d === 3 ? Number.NaN : x));
  expect(() => neuron({ ...data, query: broken })).toThrow(
    "neuron: query must be finite numbers, got NaN; look for an overflow where they were made",
  );
});
