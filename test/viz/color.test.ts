import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  colorAt,
  contrast,
  hex,
  luminance,
  PALETTES,
  type Palette,
  paletteIndex,
  textOn,
} from "../../src/viz/color.ts";

const table = (palette: Palette) => Array.from({ length: 256 }, (_, i) => colorAt(palette, i / 256));

describe("color", () => {
  // The digests were taken from matplotlib 3.11's own floats, each channel rounded as to_hex rounds it.
  it.each([
    ["viridis", "11d771b273e6268aa689921f7cf433eb8ca2f63bd1bea6eda8ca73040f0170f7"],
    ["cividis", "44e87650d0ed67c5b5b56bcf4be0d3b4cafecdcd15925c381888ab171134bd74"],
  ] as const)("%s is matplotlib's table in all 256 entries", (palette, digest) => {
    const text = table(palette).map(hex).join(" ");
    expect(createHash("sha256").update(text).digest("hex")).toBe(digest);
  });

  it("viridis has the ends and the middle that everybody knows", () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((t) => hex(colorAt("viridis", t)))).toEqual([
      "#440154",
      "#3b528b",
      "#21918c",
      "#5ec962",
      "#fde725",
    ]);
  });

  it("a value gets entry ⌊256·t⌋, and values beyond the ends get the ends", () => {
    expect([-1, 0, 1 / 256 - 1e-9, 1 / 256, 0.5, 255 / 256, 1, 7].map(paletteIndex)).toEqual([
      0, 0, 0, 1, 128, 255, 255, 255,
    ]);
  });

  // Neighbouring entries may differ by one rounded channel the other way; four entries on, they never do.
  it.each(PALETTES)("%s grows lighter all the way", (palette) => {
    const lights = table(palette).map(luminance);
    for (let i = 4; i < 256; i++) expect(lights[i]).toBeGreaterThan(lights[i - 4]!);
  });

  it("luminance and contrast are those of WCAG: black on white is 21", () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 10);
    // #767676 is the lightest grey that WCAG's 4.5:1 allows on white.
    expect(contrast([0x76, 0x76, 0x76], [255, 255, 255])).toBeGreaterThanOrEqual(4.5);
    expect(contrast([0x77, 0x77, 0x77], [255, 255, 255])).toBeLessThan(4.5);
  });

  it.each(PALETTES)("text on any cell of %s reaches the 4.5:1 of WCAG AA", (palette) => {
    for (const background of table(palette))
      expect(contrast(textOn(background), background)).toBeGreaterThanOrEqual(4.5);
  });
});
