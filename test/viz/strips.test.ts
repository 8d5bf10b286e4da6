import { expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { heatmap } from "../../src/viz/index.ts";
import { HOSTILE } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

const [T, S] = [3, 5];
const data = {
  weights: Array.from({ length: T }, (_, t) => Array.from({ length: S }, (_, s) => (s === t ? 0.6 : 0.1))),
  rowTokens: ["a", "b", "c"],
  columnTokens: ["v", "w", "x", "y", "z"],
};
const rowStrips = [
  { name: "p_gen", values: [0, 0.25, 1] },
  { name: "again", values: [0, 0.5, 0.75] },
];
const columnStrips = [{ name: "coverage", values: [0.8, 0.8, 0.8, 0.3, 2] }];
const svg = heatmap(data, { rowStrips, columnStrips, theme: "auto", numbers: true });

const cells = (text: string, name: string) =>
  all(parseXml(text), "rect")
    .filter(({ children }) => children.some((child) => child.text.includes(`, ${name}: `)))
    .map(({ attributes: { x, y, width, height, fill }, children }) => ({
      x: Number(x),
      y: Number(y),
      right: Number(x) + Number(width),
      bottom: Number(y) + Number(height),
      fill,
      said: children[0]!.text,
    }));

it("draws a number for each row to the right of the map, and one for each column below it", async () => {
  await expect(svg).toMatchFileSnapshot("golden/heatmap-strips.svg");
  const [gate, again, coverage] = ["p_gen", "again", "coverage"].map((name) => cells(svg, name));
  expect(gate!.map(({ said }) => said)).toEqual([
    "“a”, p_gen: 0.000",
    "“b”, p_gen: 0.250",
    "“c”, p_gen: 1.000",
  ]);
  expect([gate!.length, again!.length, coverage!.length]).toEqual([T, T, S]);
  const map = all(parseXml(svg), "rect")
    .filter(({ children }) => children.some((child) => child.text.includes("” to “")))
    .map(({ attributes: { x, y, width, height } }) => [
      Number(x) + Number(width),
      Number(y) + Number(height),
    ]);
  const [right, bottom] = [0, 1].map((axis) => Math.max(...map.map((edge) => edge[axis]!)));
  for (const { x, right: end } of gate!) {
    expect(x).toBeGreaterThan(right!);
    expect(end).toBeLessThan(again![0]!.x);
  }
  for (const { y } of coverage!) expect(y).toBeGreaterThan(bottom!);
  // Rows and columns of the strips stand where those of the map do.
  expect(gate!.map(({ bottom: end }) => end).at(-1)).toBe(bottom);
  expect(coverage!.at(-1)!.right).toBe(right);
});

it("colours 0 to 1 whatever the scale of the map, and more than 1 as 1", () => {
  const fills = (text: string, name: string) => cells(text, name).map(({ fill }) => fill);
  const other = heatmap(data, { rowStrips, columnStrips, domain: "data" });
  expect(fills(other, "p_gen")).toEqual(fills(svg, "p_gen"));
  expect(fills(svg, "coverage")[4]).toBe(fills(svg, "p_gen")[2]);
});

it("changes no picture without them", () => {
  expect(heatmap(data, { rowStrips: [], columnStrips: [] })).toBe(heatmap(data));
});

it("follows a map that is pooled, with the largest number of each block", () => {
  const rows = 401;
  const long = {
    weights: Array.from({ length: rows }, () => [1]),
    rowTokens: Array.from({ length: rows }, (_, t) => `t${t}`),
    columnTokens: ["x"],
  };
  const values = Array.from({ length: rows }, (_, t) => (t === 4 ? 1 : 0));
  const said = cells(heatmap(long, { rowStrips: [{ name: "gate", values }] }), "gate").map(
    (cell) => cell.said,
  );
  expect(said).toHaveLength(134);
  expect(said.slice(0, 3)).toEqual(["“t0…t2”, gate: 0.000", "“t3…t5”, gate: 1.000", "“t6…t8”, gate: 0.000"]);
});

it("keeps hostile names inert, and refuses strips that do not fit or are not finite", () => {
  const strips = HOSTILE.map((name) => ({ name, values: [0, 0, 0] }));
  expect(all(parseXml(heatmap(data, { rowStrips: strips })), "script")).toEqual([]);
  const draw = (values: number[]) => () => heatmap(data, { columnStrips: [{ name: "coverage", values }] });
  expect(draw([1])).toThrow(ShapeError);
  expect(draw([1])).toThrow("heatmap: columnStrips coverage must hold S = 5 numbers, got 1");
  expect(draw([0, 0, Number.NaN, 0, 0])).toThrow(OptionError);
  expect(draw([0, 0, Number.NaN, 0, 0])).toThrow(
    "heatmap: columnStrips coverage must be finite numbers, got NaN",
  );
});
