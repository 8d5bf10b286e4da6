import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../../src/core/random.ts";
import { splitLine } from "../../../../src/tasks/translation/segments.ts";
import { detectForeign } from "../../../../src/tasks/translation/text/detect-language.ts";
import { normalizeEnglish } from "../../../../src/tasks/translation/text/normalize.ts";
import { protectPair } from "../../../../src/tasks/translation/text/pair.ts";
import { finishPart, joinLine, prepareLine } from "../../../../src/tasks/translation/text/pipeline.ts";
import { PLACEHOLDERS } from "../../../../src/tasks/translation/text/placeholders.ts";
import { protect, restore } from "../../../../src/tasks/translation/text/protect.ts";
import { joinSentences, splitSentences } from "../../../../src/tasks/translation/text/sentences.ts";

const vocabulary = new Map(Object.entries({ the: 900, is: 500, cat: 30, tomorrow: 40, i: 9 }));

/** Pieces that have been trouble somewhere, and any code unit at all. */
const TROUBLE = [
  ..."aB \t\n.,;:!?'\"()-–—…%$€#@&/\\_*+=<>[]{}|~^`0123456789",
  "Mr.", "p.m.", "12:30", "$1,000.50", "3/4/2026", "March 3", "Tom", "İ", "ß", "ﬁ", "\u0301", "\u200d", "\ufe0f", "👨‍👩‍👧", "🇫🇷",
  "\ud800", "\udc00", "\u0000", "\u202e", "\ue000", "\ue05d", "\uf8ff", "привет", "你好", "١٢٣", "½", "⟨number1⟩", "x@y.zz", "https://",
]; // biome-ignore format: a list

function randomText(random: RandomStream): string {
  const length = random.integer(24);
  return Array.from({ length }, () =>
    random.uniform() < 0.8
      ? TROUBLE[random.integer(TROUBLE.length)]!
      : String.fromCharCode(random.integer(0x10000)),
  ).join("");
}

describe("any text at all", () => {
  it("goes through without an error, and what is not converted is not lost", () => {
    const random = new RandomStream(11);
    for (let trial = 0; trial < 1500; trial++) {
      const text = randomText(random);
      const { sentences, separators } = splitSentences(text);
      expect(joinSentences(sentences, separators)).toBe(text);
      const once = normalizeEnglish(text);
      expect(normalizeEnglish(once), JSON.stringify(text)).toBe(once);
      const given = protect(once, trial % 2 ? { vocabulary } : {});
      for (const { start, end, at, placeholder } of given.spans) {
        expect(end).toBeGreaterThan(start);
        expect(given.text[at]).toBe(placeholder);
      }
      // Every value as it was written: the sentence comes back.
      let back = given.text;
      for (const span of [...given.spans].reverse())
        back = back.slice(0, span.at) + once.slice(span.start, span.end) + back.slice(span.at + 1);
      if (given.overflow === 0) expect(back).toBe(once);
      const language = (["fr", "de", "es"] as const)[trial % 3]!;
      const restored = restore(given.text, given.spans, language);
      expect([restored.missing, restored.invented]).toEqual([[], 0]);
      // Only converted values differ.
      if (
        given.spans.every(({ value }) => value.type === "text") &&
        language === "de" &&
        given.overflow === 0
      )
        expect(restored.text.replace(/[' ]|s(?!\p{L})/gu, "")).toBe(once.replace(/[' ]|s(?!\p{L})/gu, ""));
      const line = prepareLine(text, { vocabulary, cut: splitLine });
      joinLine(
        line,
        line.parts.map((part) => finishPart(part, randomText(random), language)),
      );
      protectPair(text, randomText(random), language, { words: true });
      detectForeign(text);
    }
  });

  it("holds no placeholder that the user typed", () => {
    const random = new RandomStream(12);
    for (let trial = 0; trial < 100; trial++) {
      const typed = PLACEHOLDERS[random.integer(PLACEHOLDERS.length)]!;
      const text = `The ${typed} cat ${trial}.`;
      const given = protect(text);
      expect(given.spans.some(({ value }) => value.type === "text" && value.text === typed)).toBe(true);
      expect(restore(given.text, given.spans, "fr").text).toBe(text);
    }
  });
});

describe("long text", () => {
  const clock = (work: () => void) => {
    const begun = process.cpuUsage().user;
    work();
    return (process.cpuUsage().user - begun) / 1000;
  };
  const through = (text: string) => {
    const line = prepareLine(text, { vocabulary, cut: splitLine, fits: (part) => part.length < 200 });
    return joinLine(
      line,
      line.parts.map((part) => finishPart(part, part.text, "fr")),
    );
  };

  for (const [name, text] of [
    ["200,000 letters in one word", "a".repeat(200_000)],
    ["200,000 capitals", "A".repeat(200_000)],
    ["200,000 figures", "1".repeat(200_000)],
    ["200,000 dots", ".".repeat(200_000)],
    ["200,000 spaces", `a${" ".repeat(200_000)}b`],
    ["100,000 emoji", "😀".repeat(100_000)],
    ["100,000 combining marks", `e${"\u0301".repeat(100_000)}`],
    ["20,000 times 1,1", "1,1".repeat(20_000)],
    ["10,000 times a@a.", "a@a.".repeat(10_000)],
    ["50,000 times a-", "a-".repeat(50_000)],
    ["50,000 hyphens and marks", "-'".repeat(50_000)],
  ] as const) {
    it(`${name} take bounded time`, () => {
      // Quadratic work would take minutes; the bound leaves room for a busy machine.
      expect(clock(() => through(text))).toBeLessThan(6000);
    }, 60_000);
  }

  it("a word of 200,000 letters is one placeholder", () => {
    const word = "b".repeat(200_000);
    const given = protect(`See ${word} now.`);
    expect(given.text).toHaveLength("See x now.".length);
    expect(restore(given.text, given.spans, "fr").text).toBe(`See ${word} now.`);
  });

  it("10,000 words come through in parts, in order, in time that grows with their number", () => {
    const words = (n: number) =>
      Array.from({ length: n }, (_, i) => (i % 9 ? `word${i % 7}` : `${i} cats,`)).join(" ");
    through(words(500));
    const [small, large] = [clock(() => through(words(1_000))), clock(() => through(words(4_000)))];
    expect(large).toBeLessThan(12 * small + 500);
    expect(through(words(10_000))).toBe(words(10_000));
  }, 60_000);
});
