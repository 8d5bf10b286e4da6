import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { colorAt, grid, hex } from "../../src/viz/index.ts";
import { diagonal } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

const head = (n: number, shift: number) =>
  Array.from({ length: n }, (_, t) =>
    Array.from({ length: n }, (_, s) => Number(s === Math.max(0, t - shift))),
  );

it("draws a map for each head of each layer", async () => {
  const layers = [0, 1, 2].map((l) => [0, 1, 2, 3].map((h) => head(12, l * h)));
  await expect(grid(layers, { theme: "auto" })).toMatchFileSnapshot("golden/grid.svg");
  const svg = parseXml(grid(layers));
  const names = all(svg, "g").flatMap(({ children }) =>
    children.filter(({ name }) => name === "title").map(({ text }) => text),
  );
  expect(names).toHaveLength(12);
  expect(names.at(-1)).toBe("layer 2, head 3");
});

it("takes layers of different numbers of heads, and pools large maps without losing a hot cell", () => {
  const large = diagonal(100, 70).map((row) => row.map(() => 0));
  large[57]![31] = 1;
  const svg = parseXml(grid([[head(3, 0), head(3, 1)], [large]]));
  const groups = all(svg, "g").slice(1);
  expect(groups).toHaveLength(3);
  const colors = groups[2]!.children
    .filter(({ name }) => name === "path")
    .map(({ attributes }) => attributes.fill);
  expect(colors).toEqual([hex(colorAt("viridis", 0)), hex(colorAt("viridis", 1))]);
});

it("refuses no heads, heads that are no matrices, and maps too small to see", () => {
  expect(() => grid([])).toThrow(OptionError);
  expect(() => grid([[[1, 2, 3]]])).toThrow(
    "grid: layers must be rows of weights for each head, got 3 numbers for one; pass layers[l][h][t][s]",
  );
  expect(() => grid([[[[1, 2], [1]]]])).toThrow(ShapeError);
  expect(() => grid([[head(2, 0)]], { cell: 3 })).toThrow(/^grid: cell must be 24 pixels or more, got 3/);
});
