import { describe, expect, it } from "vitest";
import { fitWidth, textWidth } from "../../../src/viz/svg/measure.ts";

describe("textWidth", () => {
  // Advance widths at 100 px that Chromium measures for these words in DejaVu Sans.
  it.each([
    ["intelligence", 580.1],
    ["apprentissage", 709.5],
    ["MMWW", 370.3],
    ["aujourd'hui", 561.9],
    ["0123456789", 636.2],
  ])("does not underestimate %s", (text, measured) => {
    expect(textWidth(text, 100)).toBeGreaterThanOrEqual(measured);
    expect(textWidth(text, 100)).toBeLessThan(1.3 * measured);
  });
});

describe("fitWidth", () => {
  it("cuts between graphemes and stays within the width", () => {
    expect(fitWidth("short", 100, 13)).toBe("short");
    const cut = fitWidth("👩‍👩‍👧".repeat(9), 60, 13);
    expect(cut).toBe(`${"👩‍👩‍👧".repeat(3)}…`);
    expect(textWidth(cut, 13)).toBeLessThanOrEqual(60);
  });
});
