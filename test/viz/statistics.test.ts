import { expect, it } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import { statistics } from "../../src/viz/index.ts";
import { HOSTILE } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

const data = {
  columns: [
    { name: "entropy", domain: [0, 1] as const },
    { name: "lag", domain: [-4, 4] as const },
    { name: "distance" },
  ],
  rows: [
    { name: "head 0", values: [0.25, -1, 12.5] },
    { name: "head 1", values: [1, 2, 3] },
    { name: "head 2", values: [0.125, Number.NaN, 0] },
  ],
};

it("draws each number over a bar", async () => {
  const svg = statistics(data, { theme: "auto", note: "Means over the queries." });
  await expect(svg).toMatchFileSnapshot("golden/statistics.svg");
  const bars = all(parseXml(svg), "rect").filter(({ attributes }) => attributes.class === "b");
  // A column of 84 px: entropy from 0 to 1, lag from −4 to 4 around its middle, distance up to its largest number.
  expect(bars.map(({ attributes }) => Number(attributes.width))).toEqual([
    21, 84, 10.5, 10.5, 21, 84, 20.16, 0,
  ]);
});

it("shows a number that is missing as a dash", () => {
  expect(all(parseXml(statistics(data)), "text").filter(({ text }) => text === "–")).toHaveLength(1);
});

it("keeps hostile names inert", () => {
  const rows = HOSTILE.map((name) => ({ name, values: HOSTILE.map(() => 1) }));
  const svg = parseXml(
    statistics({ columns: HOSTILE.map((name) => ({ name })), rows }, { note: HOSTILE[0]! }),
  );
  expect(all(svg, "script")).toEqual([]);
});

it("refuses an empty table, rows that do not fit, and a domain that does not grow", () => {
  expect(() => statistics({ columns: [], rows: [] })).toThrow(
    "statistics: columns must be one measure or more, got none; name what was measured",
  );
  expect(() => statistics({ ...data, rows: [] })).toThrow(/^statistics: rows must be one row or more/);
  expect(() => statistics({ columns: [{ name: "a" }], rows: [{ name: "b", values: [] }] })).toThrow(
    ShapeError,
  );
  const columns = [{ name: "a", domain: [1, 1] as const }];
  expect(() => statistics({ columns, rows: [{ name: "b", values: [1] }] })).toThrow(
    'statistics: the domain of "a" must be two finite numbers, low < high, got [1,1]; or leave it out',
  );
});
