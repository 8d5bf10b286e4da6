import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { colorAt, hex } from "../../src/viz/color.ts";
import { thumbnail } from "../../src/viz/index.ts";
import { all, parseXml } from "./xml.ts";

const colors = (svg: string) => all(parseXml(svg), "path").map(({ attributes }) => attributes.fill);

it("draws one square a number, and cells of one colour that touch as one", () => {
  const svg = thumbnail([[[1, 1, 0.5]]], { label: "one row", width: 90 });
  const root = parseXml(svg);
  expect(root.attributes).toMatchObject({ width: "90", height: "30", viewBox: "0 0 3 1", role: "img" });
  expect(all(root, "path").map(({ attributes }) => attributes)).toEqual([
    { fill: hex(colorAt("viridis", 1)), d: "M0 0h2v1h-2z" },
    { fill: hex(colorAt("viridis", 0.5)), d: "M2 0h1v1h-1z" },
  ]);
});

it("shares one scale among its panels, from 0 or the least number to the greatest", () => {
  expect(colors(thumbnail([[[2]], [[4]]], { label: "two" }))).toEqual(
    [0.5, 1].map((t) => hex(colorAt("viridis", t))),
  );
  expect(colors(thumbnail([[[-1, 3]]], { label: "signed" }))).toEqual(
    [0, 1].map((t) => hex(colorAt("viridis", t))),
  );
});

it("draws what is not finite grey, an even matrix in the first colour, and a flat array as one row", () => {
  expect(colors(thumbnail([[[-Infinity, 1]]], { label: "hidden" }))).toEqual([
    "#8a8a8a",
    hex(colorAt("viridis", 1)),
  ]);
  for (const value of [0, -1e6])
    expect(colors(thumbnail([[[value, value]]], { label: "even" }))).toEqual([hex(colorAt("viridis", 0))]);
  expect(colors(thumbnail([[0, 1]], { label: "flat" }))).toHaveLength(2);
});

it("draws matrices of more numbers than a call may have arguments", () => {
  const large = Array.from({ length: 400 }, () => new Float32Array(400).fill(0.5));
  expect(colors(thumbnail([large], { label: "large" }))).toHaveLength(1);
});

it("says what it shows, whatever the words are", () => {
  const [title] = all(parseXml(thumbnail([[[1]]], { label: "a < b & c" })), "title");
  expect(title!.text).toBe("a < b & c");
});

it("refuses nothing to draw and rows of different lengths", () => {
  expect(() => thumbnail([], { label: "" })).toThrow(OptionError);
  expect(() => thumbnail([[]], { label: "" })).toThrow(OptionError);
  expect(() => thumbnail([[[1, 2], [1]]], { label: "" })).toThrow(ShapeError);
});
