import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visible } from "../../src/viz/text.ts";
import { displayWidth, fitColumns, graphemes, truncate } from "../../src/viz/width.ts";

describe("displayWidth", () => {
  it.each([
    ["abc", 3],
    ["日本", 4],
    ["한국", 4],
    ["\u1112\u1161\u11ab", 2],
    ["ｆｕｌｌ", 8],
    ["ﾊﾝ", 2],
    ["e\u0301", 1],
    ["\u0301", 0],
    ["🙂", 2],
    ["👩‍👩‍👧", 2],
    ["👍🏽", 2],
    ["🇫🇷🇩🇪", 4],
    ["❤️", 2],
    ["❤", 1],
    ["1️⃣", 2],
    ["שלום", 4],
    ["", 0],
  ])("%j takes %d columns", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe("truncate and fitColumns", () => {
  it.each([
    ["abcdef", 6, "abcdef"],
    ["abcdef", 5, "abcd…"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…"],
    ["ab", 1, "…"],
    ["ab", 0, ""],
  ])("%j in %d columns is %j", (text, width, cut) => {
    expect(truncate(text, width)).toBe(cut);
  });

  it("fills on the side away from the alignment; an odd blank goes before a centred text", () => {
    expect(fitColumns("ab", 5)).toBe("ab   ");
    expect(fitColumns("ab", 5, "right")).toBe("   ab");
    expect(fitColumns("ab", 5, "center")).toBe("  ab ");
    expect(fitColumns("日本語", 4, "right")).toBe(" 日…");
    expect(fitColumns("abcdef", 4, "left", "~")).toBe("abc~");
  });

  it("is exactly as wide as asked for, for every token, and cuts only between graphemes", () => {
    const width = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), width, (token, columns) => {
        const shown = visible(token);
        expect(displayWidth(fitColumns(shown, columns, "center"))).toBe(columns);
        const kept = graphemes(truncate(shown, columns).replace(/…$/, ""));
        expect(graphemes(shown).slice(0, kept.length)).toEqual(kept);
      }),
      { numRuns: 1000 },
    );
  });
});
