import { expect, it } from "vitest";
import { displayWidth, terminalWords } from "../../src/viz/index.ts";
import { HOSTILE } from "./fixtures.ts";

const plain = { name: "p_gen", depth: 1, unicode: true, columns: 80 } as const;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal is sent
const uncoloured = (text: string) => text.replace(/\u001b\[[\d;]*m/g, "");

it("writes the number behind each word where there are no colours", () => {
  expect(terminalWords(["see", " (", "it"], [1, 0.5, 0], plain)).toBe("p_gen\nsee 1.00  ( 0.50  it 0.00");
});

it("puts each word on the colour of its number, more than 1 on that of 1", () => {
  const drawn = terminalWords(["see", "it", "all"], [0, 1, 7], { ...plain, depth: 24 });
  expect(uncoloured(drawn)).toBe("p_gen\n see  it  all ");
  // Viridis goes from #440154 to #fde725.
  const colours = [...drawn.matchAll(/48;2;(\d+;\d+;\d+)m/g)].map(([, colour]) => colour);
  expect(colours).toEqual(["68;1;84", "253;231;37", "253;231;37"]);
});

it("has no line wider than the terminal, however long a word is", () => {
  const words = Array.from({ length: 17 }, (_, n) => "long".repeat(n + 1));
  for (const depth of [1, 24] as const) {
    const drawn = terminalWords(
      words,
      words.map(() => 0.5),
      { ...plain, depth, columns: 31 },
    );
    for (const line of uncoloured(drawn).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(31);
  }
});

it("lets no word steer the terminal", () => {
  const drawn = terminalWords(
    HOSTILE,
    HOSTILE.map(() => 0.5),
    { ...plain, unicode: false },
  );
  expect(drawn).toMatch(/^[\n\x20-\x7e]*$/);
});

it("refuses numbers that do not fit or are not finite", () => {
  expect(() => terminalWords(["a"], [], plain)).toThrow(
    "terminalWords: values must hold T = 1 numbers, got 0",
  );
  expect(() => terminalWords(["a"], [Number.NaN], plain)).toThrow(
    "terminalWords: values must be finite numbers, got NaN; leave the words out",
  );
});
