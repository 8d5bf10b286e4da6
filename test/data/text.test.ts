import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizeText } from "../../src/data/text.ts";

describe("normalizeText", () => {
  test.each([
    ["composes accents (NFC)", "e\u0301cole", "école"],
    ["plains double quotes", "\u201ca\u201d \u201eb\u201c", '"a" "b"'],
    [
      "plains single quotes and the accent that stands for one",
      "l\u2018a l\u2019a l\u02bca l\u00b4a",
      "l'a l'a l'a l'a",
    ],
    ["plains the Greek oxia, which NFC makes an acute accent", "l\u1ffda", "l'a"],
    ["keeps guillemets, dashes and case", "« Oui » – Non—SI", "« Oui » – Non—SI"],
    [
      "removes zero-width characters and soft hyphens",
      "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg",
      "abcdefg",
    ],
    ["composes across a removed character", "e\u200b\u0301", "é"],
    ["makes every run of white space one space", "a\u00a0\u202f\u2009 b\t\tc\u3000d", "a b c d"],
    ["takes CRLF, lone CR and line separators as white space", "a\r\nb\rc\u2028d", "a b c d"],
    ["takes control characters as white space", "a\u0000b\u001bc\u007fd\u0085e", "a b c d e"],
    ["trims", " \ufeff a \n", "a"],
    ["keeps the joiners of an emoji family", "👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"],
    [
      "keeps joiners after a skin tone and a presentation mark",
      "👩🏽\u200d🚀 ❤\ufe0f\u200d🔥",
      "👩🏽\u200d🚀 ❤\ufe0f\u200d🔥",
    ],
    ["removes a joiner that joins no two pictographs", "👩\u200d a\u200d👩", "👩 a👩"],
    ["replaces half a surrogate pair", "a\ud83db", "a\ufffdb"],
    ["leaves nothing of nothing", " \u200b\r\n", ""],
  ])("%s", (_, text, expected) => {
    expect(normalizeText(text)).toBe(expected);
  });

  test("changes nothing the second time", () => {
    const unit = fc.oneof(
      fc.string({ unit: "binary", maxLength: 1 }),
      fc.constantFrom(..."\u200b\u200d\u00ad\ufeff\ufe0f\u0301e' \u00a0\u2019👩🏽\r\n", "👩", "🏽", "\ud83d"),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 23 }), (units) => {
        const once = normalizeText(units.join(""));
        expect(normalizeText(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });
});
