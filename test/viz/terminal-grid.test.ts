import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { terminalGrid } from "../../src/viz/index.ts";
import { diagonal, HOSTILE } from "./fixtures.ts";

const causal = (shift: number) =>
  Array.from({ length: 8 }, (_, t) =>
    Array.from({ length: 8 }, (_, s) => (s > t ? Number.NaN : Number(s === Math.max(0, t - shift)))),
  );
const layers = [
  [causal(0), causal(1), causal(2)],
  [causal(3), diagonal(40, 30)],
];
const uncolored = stripVTControlCharacters;

it("draws a small map for each head, in half blocks", async () => {
  const grid = terminalGrid(layers, { depth: 24, unicode: true, columns: 80, title: "model" });
  await expect(grid).toMatchFileSnapshot("golden/terminal-grid-24.txt");
  // Eight rows in four lines, and the name above.
  const lines = uncolored(grid).split("\n");
  expect(lines.slice(2, 4)).toEqual(["layer 0", "head 0    head 1    head 2"]);
  expect(lines[4]!.startsWith("▀")).toBe(true);
});

it("draws shades without colour, in ASCII where that is asked for, with masked cells and their sign", async () => {
  const grid = terminalGrid(layers, { depth: 1, unicode: true, columns: 80 });
  await expect(grid).toMatchFileSnapshot("golden/terminal-grid-1.txt");
  const plain = terminalGrid(layers, { depth: 1, unicode: false, columns: 80 });
  expect(/^[\n\x20-\x7e]*$/.test(plain)).toBe(true);
  expect(plain).toContain("x masked");
});

it("puts heads that do not fit on the next line, and is never wider than the terminal", () => {
  for (const columns of [26, 40, 80])
    for (const depth of [1, 24] as const) {
      const grid = uncolored(terminalGrid(layers, { depth, unicode: true, columns }));
      for (const line of grid.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    }
});

it("lets no title steer the terminal", () => {
  const grid = terminalGrid(layers, { depth: 1, unicode: true, columns: 80, title: HOSTILE[3]! });
  expect(/[\p{Cc}\p{Bidi_Control}]/u.test(grid.replaceAll("\n", ""))).toBe(false);
});

it("refuses no heads", () => {
  expect(() => terminalGrid([], { depth: 1, unicode: true, columns: 80 })).toThrow(OptionError);
  expect(() => terminalGrid([[]], { depth: 1, unicode: true, columns: 80 })).toThrow(OptionError);
});
