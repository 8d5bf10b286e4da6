import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { drawTrace, VIEWS } from "../../src/views/index.ts";
import { renderPng } from "../../src/views/render-png.ts";
import { colorAt, decodePng, heatmap } from "../../src/viz/index.ts";
import { imageTrace, selfTrace } from "./support.ts";

const DATA = { weights: [[0.25, 0.75]], rowTokens: ["je"], columnTokens: ["I", "am"] };

/** The bytes of the pixel at a point of the SVG. */
function pixelAt(png: Uint8Array, x: number, y: number, scale: number): number[] {
  const { width, values } = decodePng(png);
  const at = 3 * (Math.floor(y * scale) * width + Math.floor(x * scale));
  return [0, 1, 2].map((c) => Math.round(values[at + c]! * 255));
}

/** Where a heat map has its cells: the corner and the size of each, from its own markup. */
function cellsOf(svg: string) {
  return [...svg.matchAll(/<rect([^>]*)>/g)].flatMap(([, attributes]) => {
    const number = (name: string) => Number(new RegExp(` ${name}="([\\d.]+)"`).exec(attributes!)?.[1]);
    const fill = / fill="(#[0-9a-f]{6})"/.exec(attributes!)?.[1];
    return fill ? [{ x: number("x"), y: number("y"), width: number("width"), height: number("height") }] : [];
  });
}

/** How many pixels of a picture are not the colour of its corner. */
function inked(png: Uint8Array): number {
  const { values } = decodePng(png);
  let count = 0;
  for (let at = 0; at < values.length; at += 3)
    count += Number([0, 1, 2].some((c) => values[at + c] !== values[c]));
  return count;
}

describe("renderPng", () => {
  test("is as large as the SVG times the scale, and has its exact colours in the cells", async () => {
    const svg = heatmap(DATA);
    const cells = cellsOf(svg);
    expect(cells.length).toBe(2);
    for (const scale of [1, 2]) {
      const png = await renderPng(svg, { scale });
      const { width, height } = decodePng(png);
      const [, across, down] = /width="(\d+)" height="(\d+)" viewBox/.exec(svg)!;
      expect([width, height]).toEqual([Number(across) * scale, Number(down) * scale]);
      cells.forEach((cell, n) => {
        const color = colorAt("viridis", DATA.weights[0]![n]!);
        expect(pixelAt(png, cell.x + cell.width / 8, cell.y + cell.height / 8, scale)).toEqual([...color]);
      });
    }
  });

  test("draws the words: with other tokens there are other pixels", async () => {
    const png = await renderPng(heatmap(DATA), { scale: 1 });
    const other = await renderPng(heatmap({ ...DATA, columnTokens: ["I", "an"] }), { scale: 1 });
    expect(Buffer.compare(png, other)).not.toBe(0);
    const bare = await renderPng(heatmap({ ...DATA, columnTokens: ["I", "\u{10ffff}"] }), { scale: 1 });
    expect(inked(png)).not.toBe(inked(bare));
  });

  test("gives the same bytes each time, and says what it was told to say", async () => {
    const text = { Title: "a map", heed: '{"view":"heatmap"}' };
    const [one, two] = await Promise.all([1, 2].map(() => renderPng(heatmap(DATA), { text })));
    expect(Buffer.compare(one!, two!)).toBe(0);
    expect(Buffer.from(one!).toString("latin1")).toContain('heed\0{"view":"heatmap"}');
  });

  test("draws every view of a trace, light and dark, on the theme's ground", async () => {
    for (const view of VIEWS) {
      const trace = ["image", "glimpse", "marginals", "gates"].includes(view) ? imageTrace() : selfTrace();
      for (const [theme, ground] of [
        ["light", 255],
        ["dark", 18],
      ] as const) {
        const png = await renderPng(drawTrace(trace, { view, theme, glimpseSize: [12, 12] }), { scale: 1 });
        expect([view, ...pixelAt(png, 1, 1, 1)]).toEqual([view, ground, ground, ground]);
        expect(inked(png)).toBeGreaterThan(500);
      }
    }
  });

  test("says which characters no font has, and is silent where a font of the caller's has them", async () => {
    const warned: string[] = [];
    const onWarning = (message: string) => void warned.push(message);
    const svg = heatmap({ ...DATA, columnTokens: ["猫&", "naïve שלום مرحبا Ωμέγα ⏎␣∅"] });
    await renderPng(svg, { scale: 0.25, onWarning });
    expect(warned).toEqual([
      "renderPng: every character must be in a font, got 猫 in none; give a font that has them, or they are left out",
    ]);
    const fonts = [fontWith("猫")];
    await renderPng(svg, { scale: 0.25, onWarning, fonts });
    expect(warned.length).toBe(1);
  });

  test("refuses what is no SVG", async () => {
    for (const svg of ["", "<svg", "words"])
      await expect(renderPng(svg)).rejects.toThrow(
        "renderPng: the picture must be a whole SVG, got text that is none: ",
      );
  });

  test("refuses scales that make nothing or too much, and files that are no fonts", async () => {
    const svg = heatmap(DATA);
    for (const scale of [0, Number.NaN, 9])
      await expect(renderPng(svg, { scale })).rejects.toThrow(
        `renderPng: scale must be a number from 0.25 to 8, got ${scale}; try scale 2`,
      );
    const wide = svg.replace(/width="\d+" height="\d+"/, 'width="4000" height="4000"');
    await expect(renderPng(wide, { scale: 4 })).rejects.toThrow(
      "scale must be one that makes at most 64 million pixels, got 16000 × 16000; choose a smaller one",
    );
    for (const font of [
      new Uint8Array(0),
      Uint8Array.of(0, 1, 0, 0),
      new TextEncoder().encode("not a font, but text"),
    ])
      await expect(renderPng(svg, { fonts: [font] })).rejects.toThrow(
        `renderPng: a font must be a whole TrueType or OpenType file, got a file of ${font.length} bytes`,
      );
  });
});

/** heed's own font with one character more in its map, drawn as the glyph of "A". */
function fontWith(character: string): Uint8Array {
  const font = new Uint8Array(readFileSync("fonts/dejavu-sans/DejaVuSans-subset.ttf"));
  const view = new DataView(font.buffer);
  const tables = Array.from({ length: view.getUint16(4) }, (_, n) => 12 + 16 * n);
  const cmap = view.getUint32(tables.find((at) => view.getUint32(at) === 0x636d6170)! + 8);
  for (let n = 0; n < view.getUint16(cmap + 2); n++) {
    const at = cmap + view.getUint32(cmap + 8 + 8 * n);
    if (view.getUint16(at) !== 4) continue;
    // The last segment before 0xffff is moved: what it had is in heed's copy of the font.
    const last = view.getUint16(at + 6) / 2 - 2;
    const ends = at + 14;
    const starts = ends + view.getUint16(at + 6) + 2;
    view.setUint16(ends + 2 * last, character.codePointAt(0)!);
    view.setUint16(starts + 2 * last, character.codePointAt(0)!);
  }
  return font;
}
