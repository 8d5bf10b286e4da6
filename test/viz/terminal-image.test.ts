import { expect, test } from "vitest";
import { type ImageAttentionData, terminalImage } from "../../src/viz/index.ts";

/** A picture of 4 × 6 pixels, light to the right, and two words over 2 × 3 cells. */
const DATA: ImageAttentionData = {
  image: { height: 4, width: 6, values: Array.from({ length: 24 }, (_, n) => (n % 6) / 5) },
  grid: [2, 3],
  maps: [
    [0, 0, 1, 0, 0, 0],
    [0, 0.25, 0, 0.75, 0, 0],
  ],
  words: ["sneaker", "bag"],
};
const WIDE = { depth: 24, unicode: true, columns: 80 } as const;
/** What stands in a line without its colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are controls
const plain = (text: string) => text.replace(/\u001b\[[\d;]*m/g, "");

test("each word has a small picture, and its caption below", () => {
  const lines = plain(terminalImage(DATA, WIDE)).split("\n");
  // 16 columns of a picture half again as wide as high: 16 · 4/6 ≈ 10 rows, two a line.
  expect(lines).toHaveLength(6);
  for (const line of lines.slice(0, 5))
    expect(line).toBe(["▀".repeat(16), "▀".repeat(16), "▀".repeat(16)].join("  "));
  expect(lines[5]).toBe(`image             sneaker           bag`);
});

test("pictures that do not fit go to the next line", () => {
  const lines = plain(terminalImage(DATA, { ...WIDE, columns: 40 })).split("\n");
  expect(lines.filter((line) => line.startsWith("▀")).map(({ length }) => length)).toEqual([
    ...new Array(5).fill(34),
    ...new Array(5).fill(16),
  ]);
});

test("a pixel that nothing looked at keeps its grey, and the one looked at most takes the map's colour", () => {
  const map = [1, 0, 0, 0, 0, 0];
  const text = terminalImage({ ...DATA, maps: [map], words: ["a"] }, WIDE);
  const [image, over] = text.split("\n")[0]!.split("  ") as [string, string];
  const first = (panel: string) => /38;2;(\d+);(\d+);(\d+)/.exec(panel)!.slice(1).map(Number);
  // The mean of the first pixels of the picture is 0 light; viridis ends in yellow, (253, 231, 37),
  // which is laid over it at 0.7 and a little
  // less: smoothing scales the map to its sum.
  expect(first(image)).toEqual([0, 0, 0]);
  expect(first(over)).toEqual([177, 161, 26]);
  // At the right end of both panels: full light, and no weight.
  const last = (panel: string) => panel.match(/[34]8;2;\d+;\d+;\d+/g)!.at(-1);
  expect(last(over)).toBe("48;2;255;255;255");
});

test("with 256 colours the picture is grey and lit where a word looked; there are no other codes", () => {
  const text = terminalImage(DATA, { ...WIDE, depth: 8 });
  const codes = new Set(text.match(/[34]8;5;\d+/g)!.map((code) => Number(code.split(";")[2])));
  for (const code of codes) expect(code >= 232 && code <= 255).toBe(true);
  expect(codes.size).toBeGreaterThan(4);
});

test("without colours or blocks each word is a line with the cell that it looked at most", () => {
  const expected = "sneaker: row 1, column 3 (1.00)\nbag: row 2, column 1 (0.75)";
  expect(terminalImage(DATA, { ...WIDE, depth: 1 })).toBe(expected);
  expect(terminalImage(DATA, { ...WIDE, unicode: false })).toBe(expected);
});

test("words cannot steer the terminal, and data that do not fit are refused", () => {
  const hostile = { ...DATA, words: ["\u001b[2J", "b\nc"] };
  for (const depth of [1, 24] as const) {
    const text = plain(terminalImage(hostile, { ...WIDE, depth }));
    expect(text).not.toContain("\u001b");
    expect(text).not.toContain("b\nc");
  }
  expect(() => terminalImage({ ...DATA, words: ["a"] }, WIDE)).toThrow(
    "terminalImage: words must be one word for each map, and one map or more, got 1 words for 2 maps; pass as many of each",
  );
  expect(() => terminalImage(DATA, { ...WIDE, columns: 0 })).toThrow("terminalImage: columns must be");
});
