import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { gates } from "../../src/viz/index.ts";
import { HOSTILE } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

const gate = Array.from({ length: 48 }, (_, c) => 0.5 + 0.48 * Math.sin(c * c));
const bars = (svg: string) => all(parseXml(svg), "rect").filter(({ attributes }) => attributes.class === "b");

it("draws a bar for each channel", async () => {
  const svg = gates({ gate }, { theme: "auto" });
  await expect(svg).toMatchFileSnapshot("golden/gates.svg");
  expect(bars(svg)).toHaveLength(48);
});

it("makes bars as high as their numbers, below 0 too, and puts the largest first when asked", () => {
  const heights = (svg: string) => bars(svg).map(({ attributes }) => Number(attributes.height));
  // The axis goes from 0 to 1: 220 px for 1.
  expect(heights(gates({ gate: [0.25, 1, 0] }))).toEqual([55, 220, 0]);
  expect(heights(gates({ gate: [0.25, 1, 0] }, { sorted: true }))).toEqual([220, 55, 0]);
  expect(heights(gates({ gate: [-1, 1] }))).toEqual([110, 110]);
});

it("names every n-th bar where they are narrow, and turns long names", () => {
  const names = gate.map((_, c) => `a channel of name ${c}`);
  const texts = all(parseXml(gates({ gate, names })), "text").filter(({ text }) => text.startsWith("a ch"));
  expect(texts.length).toBe(48);
  expect(texts.every(({ attributes }) => attributes.transform?.endsWith("rotate(-90)"))).toBe(true);
  const many = gates({ gate: new Float32Array(2048).fill(0.5) });
  expect(all(parseXml(many), "text").length).toBeLessThan(80);
});

it("keeps hostile names inert", () => {
  const svg = parseXml(gates({ gate: HOSTILE.map(() => 0.5), names: HOSTILE }));
  expect(all(svg, "script")).toEqual([]);
});

it("refuses no channels, NaN, and names that do not fit", () => {
  expect(() => gates({ gate: [] })).toThrow(
    "gates: gate must be one finite number or more, got none; pass the gate of each channel",
  );
  expect(() => gates({ gate: [Number.NaN] })).toThrow(OptionError);
  expect(() => gates({ gate: [1], names: [] })).toThrow(ShapeError);
});
