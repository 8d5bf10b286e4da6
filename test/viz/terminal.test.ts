import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colorAt, textOn } from "../../src/viz/color.ts";
import { cellsOf, fitCells } from "../../src/viz/data.ts";
import {
  displayWidth,
  type HeatmapData,
  type TerminalHeatmapOptions,
  terminalHeatmap,
} from "../../src/viz/index.ts";
import { CAUSAL, diagonal, HOSTILE, numbered, SEED } from "./fixtures.ts";

const WIDE: TerminalHeatmapOptions = { depth: 24, unicode: true, columns: 80 };
const ESCAPE = "\u001b";
const SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g");
const plain = (text: string) => text.replace(SEQUENCE, "");

const LONG: HeatmapData = {
  weights: diagonal(17, 19),
  rowTokens: numbered("sortie", 17),
  columnTokens: numbered("input", 19),
};
const causal = (side: number): HeatmapData => ({
  weights: diagonal(side, side),
  mask: Array.from({ length: side }, (_, i) => Array.from({ length: side }, (_, j) => j <= i)),
  rowTokens: numbered("tok", side),
  columnTokens: numbered("tok", side),
});

interface Cell {
  readonly character: string;
  readonly foreground: string | undefined;
  readonly background: string | undefined;
}

/** What a terminal would show on one line. */
function screen(line: string): Cell[] {
  const cells: Cell[] = [];
  let foreground: string | undefined;
  let background: string | undefined;
  for (const piece of line.split(new RegExp(`(${ESCAPE}\\[[0-9;]*m)`))) {
    if (!piece.startsWith(ESCAPE)) {
      for (const character of piece) cells.push({ character, foreground, background });
      continue;
    }
    const codes = piece.slice(2, -1).split(";");
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === "0") foreground = background = undefined;
      else if (codes[i] === "39") foreground = undefined;
      else if (codes[i] === "49") background = undefined;
      else if (codes[i] === "38" || codes[i] === "48") {
        const length = codes[i + 1] === "2" ? 4 : 2;
        const color = codes.slice(i + 1, i + 1 + length).join(";");
        if (codes[i] === "38") foreground = color;
        else background = color;
        i += length;
      }
    }
  }
  return cells;
}

const viridis = (t: number) => `2;${colorAt("viridis", t).join(";")}`;

describe("terminalHeatmap", () => {
  it.each([
    ["seed-24", SEED, { depth: 24 }],
    ["seed-8", SEED, { depth: 8 }],
    ["seed-8-viridis", SEED, { depth: 8, palette: "viridis" }],
    ["seed-4", SEED, { depth: 4 }],
    ["seed-1", SEED, { depth: 1 }],
    ["seed-ascii", SEED, { depth: 1, unicode: false }],
    ["seed-ascii-shades", SEED, { depth: 4, unicode: false }],
    ["seed-narrow", SEED, { depth: 1, columns: 30, numbers: false }],
    ["seed-text", SEED, { depth: 1, format: "text" }],
    ["causal-24", CAUSAL, { depth: 24 }],
    ["causal-1", CAUSAL, { depth: 1 }],
    ["long-24", LONG, { depth: 24 }],
    ["long-1", LONG, { depth: 1 }],
    ["large-24", causal(41), { depth: 24 }],
    ["large-8", causal(41), { depth: 8 }],
    ["large-1", causal(41), { depth: 1 }],
    ["large-ascii", causal(41), { depth: 1, unicode: false, columns: 60 }],
    ["large-ascii-24", causal(41), { depth: 24, unicode: false, columns: 70, domain: "data" }],
  ] as const)("draws %s", async (name, data, options) => {
    const text = terminalHeatmap(data as HeatmapData, {
      ...WIDE,
      ...(options as Partial<TerminalHeatmapOptions>),
    });
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it("paints each cell of a sentence with the exact viridis of its weight, and its number in readable ink", () => {
    const lines = terminalHeatmap(SEED, WIDE).split("\n");
    const rows = lines.slice(2 + 7, 2 + 7 + 5);
    const weights = SEED.weights as number[][];
    rows.forEach((line, i) => {
      const cells = screen(line).slice("apprentissage ".length);
      expect(cells).toHaveLength(7 * 6);
      cells.forEach((cell, k) => {
        const weight = weights[i]![Math.floor(k / 6)]!;
        expect(cell.background).toBe(viridis(weight));
        if (cell.character !== " ")
          expect(cell.foreground).toBe(`2;${textOn(colorAt("viridis", weight)).join(";")}`);
      });
    });
    expect(plain(rows[0]!)).toBe(`           J'   .90${" ".repeat(37)}`);
    expect(plain(rows[4]!)).toContain("automatique");
    expect(plain(rows[4]!)).toMatch(/ \.30 {3}\.70 $/);
  });

  it("packs two rows into a line of half blocks, upper in the foreground, lower in the background", () => {
    const side = 41;
    const data = { ...causal(side), mask: undefined } as unknown as HeatmapData;
    const { mask: _, ...unmasked } = data;
    const lines = terminalHeatmap(unmasked, WIDE)
      .split("\n")
      .slice(3, 3 + 21);
    const weights = data.weights as number[][];
    lines.forEach((line, k) => {
      const cells = screen(line).slice("40 tok40 ".length);
      expect(cells).toHaveLength(side);
      cells.forEach((cell, j) => {
        expect(cell).toEqual({
          character: "▀",
          foreground: viridis(weights[2 * k]![j]!),
          background: 2 * k + 1 < side ? viridis(weights[2 * k + 1]![j]!) : undefined,
        });
      });
    });
  });

  it("leaves the masked half of a block unpainted, and marks a block that is all masked", () => {
    const data = causal(41);
    const [first, second] = terminalHeatmap(data, WIDE).split("\n").slice(3);
    const cells = screen(first!).slice("40 tok40 ".length);
    const weights = data.weights as number[][];
    expect(cells[1]).toEqual({ character: "▄", foreground: viridis(weights[1]![1]!), background: undefined });
    expect(cells[2]).toEqual({ character: "╳", foreground: undefined, background: undefined });
    expect(screen(second!).slice("40 tok40 ".length)[3]!.character).toBe("▄");
  });

  it("max-pools to the width of the terminal, as the definition does, with a note", () => {
    const data = {
      weights: diagonal(211, 211),
      rowTokens: numbered("r", 211),
      columnTokens: numbered("c", 211),
    };
    const text = terminalHeatmap(data, { ...WIDE, columns: 63 });
    const label = "210 r210 ".length;
    const pooled = fitCells(cellsOf("test", data), 128, 63 - label);
    expect([pooled.rowFactor, pooled.columnFactor]).toEqual([2, 4]);
    expect(plain(text).split("\n").at(-1)).toContain("pooled 2× down and 4× across");
    const cells = screen(text.split("\n")[3]!).slice(label);
    expect(cells).toHaveLength(pooled.columns);
    cells.forEach((cell, j) => {
      expect(cell.foreground).toBe(viridis(pooled.values[j]!));
      expect(cell.background).toBe(viridis(pooled.values[pooled.columns + j]!));
    });
  });

  it("shades in equal parts of the scale", () => {
    const data = {
      weights: [[0, 0.19, 0.2, 0.4, 0.6, 0.8, 1]],
      rowTokens: ["a"],
      columnTokens: numbered("", 7),
    };
    const row = (unicode: boolean) =>
      terminalHeatmap(data, { depth: 4, unicode, columns: 30 }).split("\n")[3]!.slice(2).match(/.{4}/g);
    expect(plain(terminalHeatmap(data, { depth: 4, unicode: true, columns: 30 }).split("\n")[2]!)).toBe(
      "    0   1   2   3   4   5   6",
    );
    expect(row(true)).toEqual(["    ", "    ", "░░░░", "▒▒▒▒", "▓▓▓▓", "████", "████"]);
    expect(row(false)).toEqual(["    ", "....", "::::", "====", "****", "%%%%", "@@@@"]);
  });

  it("prints numbers up to 12 × 12 without colour, and shades from 13 on", () => {
    const square = (side: number) => ({
      weights: diagonal(side, side),
      rowTokens: numbered("r", side),
      columnTokens: numbered("c", side),
    });
    const draw = (side: number) => terminalHeatmap(square(side), { ...WIDE, depth: 1 });
    expect(draw(12)).toMatch(/each number is a weight/);
    expect(draw(12)).not.toMatch(/[░▒▓█]/);
    expect(draw(13)).toMatch(/░░/);
  });

  it("keeps numbers apart however long they are", () => {
    const data = { weights: [[-0.25, -12.5, 1e3]], rowTokens: ["a"], columnTokens: ["x", "y", "z"] };
    expect(
      terminalHeatmap(data, { ...WIDE, depth: 1 })
        .split("\n")[3]!
        .trim()
        .split(/ +/),
    ).toEqual(["a", "-0.25", "-12.50", "1000.00"]);
  });

  it("marks what is not finite, never as a number", () => {
    const data = { weights: [[1, Number.NaN]], rowTokens: ["a"], columnTokens: ["x", "y"] };
    const text = terminalHeatmap(data, { ...WIDE, depth: 1 });
    expect(text).toMatch(/^a +1\.00 +\?$/m);
    expect(text).toMatch(/\? not finite/);
  });

  it("is text for a pipe without colour, and a map for everything else", () => {
    const heading = (options: Partial<TerminalHeatmapOptions>) =>
      plain(terminalHeatmap(SEED, { ...WIDE, ...options }).split("\n")[0]!);
    const sentence = "5 output tokens over 7 input tokens; “J'” attends most to “I” (0.90).";
    expect(heading({ isTTY: false, depth: 1 })).toBe(sentence);
    expect(heading({ isTTY: false, depth: 24 })).toBe("Attention Weights");
    expect(heading({ isTTY: false, depth: 1, format: "map" })).toBe("Attention Weights");
    expect(heading({ isTTY: true, depth: 24, format: "text" })).toBe(sentence);
    expect(heading({ depth: 1 })).toBe("Attention Weights");
  });

  it("says in text which inputs each output looks at, and which looks at nothing", () => {
    const data = {
      weights: [0.2, 0.8, 0, 0],
      mask: [1, 1, 0, 0],
      rowTokens: ["élan", "b"],
      columnTokens: ["x", "y"],
    };
    expect(terminalHeatmap(data, { depth: 1, unicode: false, columns: 80, format: "text", top: 1 })).toBe(
      '2 output tokens over 2 input tokens; "elan" attends most to "y" (0.80); 2 of 4 cells masked.\n' +
        "elan: y 0.80\nb: nothing to attend to",
    );
  });

  it("warns about rows that are no distributions", () => {
    const heard: string[] = [];
    const data = { weights: [[0.5, 2]], rowTokens: ["a"], columnTokens: ["x", "y"] };
    terminalHeatmap(data, { ...WIDE, onWarning: (message) => heard.push(message) });
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatch(/^terminalHeatmap: every row of weights must be a distribution/);
  });

  it("lets no control through but line breaks and its own colours, and stays within the width", () => {
    const token = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.constantFrom(...HOSTILE));
    const tokens = fc.array(token, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        tokens,
        tokens,
        token,
        fc.constantFrom(1, 4, 8, 24),
        fc.boolean(),
        fc.integer({ min: 20, max: 120 }),
        fc.constantFrom("map", "text"),
        (rowTokens, columnTokens, title, depth, unicode, columns, format) => {
          const weights = diagonal(rowTokens.length, columnTokens.length);
          const options = { depth, unicode, columns, format, title, xTitle: title, yTitle: title };
          const text = terminalHeatmap(
            { weights, rowTokens, columnTokens },
            options as TerminalHeatmapOptions,
          );
          const shown = plain(text);
          expect(shown).not.toMatch(
            /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/u,
          );
          if (depth === 1) expect(shown).toBe(text);
          if (!unicode) expect(shown).toMatch(/^[ -~\n]*$/);
          if (format === "map")
            for (const line of shown.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
          // Nothing leaks into the next line: whatever a line switches on, it switches off.
          for (const line of text.split("\n")) {
            const last = line.match(SEQUENCE)?.at(-1);
            if (last)
              expect([`${ESCAPE}[0m`, `${ESCAPE}[49m`, `${ESCAPE}[39m`, `${ESCAPE}[39;49m`]).toContain(last);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    [{ depth: 2 }, "terminalHeatmap: depth must be one of 1, 4, 8, 24, got 2; pick one of these"],
    [{ format: "png" }, 'terminalHeatmap: format must be one of "map", "text", got "png"; pick one of these'],
    [
      { palette: "jet" },
      'terminalHeatmap: palette must be one of "viridis", "cividis", "grey", got "jet"; pick one of these',
    ],
    [
      { columns: 0 },
      "terminalHeatmap: columns must be a whole number of at least 1, got 0; pass such a number",
    ],
    [
      { format: "text", top: 1.5 },
      "terminalHeatmap: top must be a whole number of at least 1, got 1.5; pass such a number",
    ],
  ])("refuses %j", (options, says) => {
    expect(() => terminalHeatmap(SEED, { ...WIDE, ...(options as object) })).toThrow(says);
  });
});
