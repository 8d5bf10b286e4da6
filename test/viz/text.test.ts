import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii, escapeXml, visible } from "../../src/viz/text.ts";

describe("visible", () => {
  it.each([
    ["on\u001b[31m", "on\\u001b[31m"],
    ["\u0007\u009b", "\\u0007\\u009b"],
    ["abc\u202edef", "abc\\u202edef"],
    ["a\u2066b\u2069", "a\\u2066b\\u2069"],
    ["a\u200bb\u200dc\ufeff", "a\\u200bb\\u200dc\\ufeff"],
    ["\u{e0041}", "\\u{e0041}"],
    ["\u00ad\u2028", "\\u00ad\\u2028"],
    ["\ud800x", "\\ud800x"],
    ["\uffff", "\\uffff"],
    ["a\nb\tc", "a⏎b⇥c"],
    ["\u00a0!\u3000", "⍽!\\u3000"],
    ["  a ", "␣␣a␣"],
    ["a b", "a b"],
    ["", "∅"],
    ["\u0301x", "◌\u0301x"],
  ])("shows %j as %j", (token, shown) => {
    expect(visible(token)).toBe(shown);
  });

  it.each(["👩‍👩‍👧", "❤️", "👍🏽", "🏳️‍🌈", "🇫🇷", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "日本語", "שלום", "élève", "e\u0301"])(
    "leaves %s whole",
    (token) => {
      expect(visible(token)).toBe(token);
    },
  );

  it("keeps four of the marks on one letter", () => {
    expect(visible(`e${"\u0301".repeat(40)}x`)).toBe("e\u0301\u0301\u0301\u0301x");
  });

  it("cuts a token of a megabyte", () => {
    expect(visible("x".repeat(1_000_000))).toBe(`${"x".repeat(1000)}…`);
  });

  it("never lets a control, a bidi or a zero-width character through, outside emoji", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (token) => {
        const shown = visible(token);
        expect(shown).not.toMatch(
          /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u,
        );
        expect(shown).not.toMatch(/(?<!\p{ExtPict}\ufe0f?\p{EMod}?)\u200d/u);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown).not.toBe("");
      }),
      { numRuns: 2000 },
    );
  });
});

describe("ascii", () => {
  it.each([
    ["élève", "eleve"],
    ["cœur", "coeur"],
    ["« ça »", "<< ca >>"],
    ["aujourd’hui…", "aujourd'hui..."],
    ["猫", "\\u732b"],
    ["🙂", "\\u{1f642}"],
    ["", "(empty)"],
    ["a\n", "a\\n"],
  ])("writes %j as %j", (token, shown) => {
    expect(ascii(token)).toBe(shown);
  });

  it("is printable ASCII for every string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (token) => {
        expect(ascii(token)).toMatch(/^[ -~]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("escapeXml", () => {
  it("escapes the five characters, and replaces what XML forbids", () => {
    expect(escapeXml(`<a b="c" d='e'>&\u0000\u001b\ud800\ufffe\t\n`)).toBe(
      "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;\ufffd\ufffd\ufffd\ufffd\t\n",
    );
  });
});
