import { describe, expect, it } from "vitest";
import { makeHeader } from "../../../src/viz/terminal/header.ts";
import { INPUT, numbered } from "../fixtures.ts";

const base = { indent: 3, columns: 80, leastCellWidth: 2, unicode: true };

describe("makeHeader", () => {
  it("writes short tokens over their columns", () => {
    expect(makeHeader({ ...base, tokens: ["I", "love", "tea"] })).toEqual({
      cellWidth: 6,
      lines: ["      I   love   tea"],
    });
  });

  it("squeezes them before it gives that up", () => {
    expect(makeHeader({ ...base, columns: 18, tokens: ["I", "love", "tea"] })).toEqual({
      cellWidth: 5,
      lines: ["     I   love tea"],
    });
  });

  it("puts longer tokens on stairs that lead to their columns", () => {
    expect(makeHeader({ ...base, tokens: INPUT.slice(0, 3).concat("x".repeat(30)) })).toEqual({
      cellWidth: 6,
      lines: [
        "     ╭ I",
        "     │     ╭ love",
        "     │     │     ╭ machine",
        `     │     │     │     ╭ ${"x".repeat(30)}`,
      ],
    });
  });

  it("cuts a token on the stairs at the edge of the terminal", () => {
    const header = makeHeader({ ...base, columns: 20, tokens: ["I", "x".repeat(99)], unicode: false });
    expect(header).toEqual({ cellWidth: 6, lines: ["     , I", "     |     , xxxxxx~"] });
  });

  it("stands many tokens up, the last character nearest to the map, and cuts them at twelve", () => {
    const tokens = [...numbered("t", 13), "x".repeat(20)];
    const header = makeHeader({ ...base, columns: 45, tokens })!;
    expect(header.cellWidth).toBe(3);
    expect(header.lines).toHaveLength(12);
    expect(header.lines.at(-1)).toBe("   0  1  2  3  4  5  6  7  8  9  0  1  2  …");
    expect(header.lines.at(-3)).toBe(`${" ".repeat(33)}t  t  t  x`);
  });

  it("gives up where two columns a cell do not fit", () => {
    expect(makeHeader({ ...base, columns: 30, tokens: numbered("t", 14) })).toBeUndefined();
  });
});
