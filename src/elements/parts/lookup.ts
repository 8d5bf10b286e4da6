import { type Cells, NOT_FINITE, VALUE } from "../../inspect/cells.ts";
import type { AttentionMap } from "../../inspect/map/map.ts";
import { colorAt, type DivergingPalette, type Palette, paletteIndex, type Rgb } from "../../viz/color.ts";
import { type ColorScale, colorPosition, typicalHigh } from "../../viz/scale.ts";

import { offscreen } from "./place.ts";

/** 256 colours as the pixels of an ImageData hold them. */
export type Lookup = Uint32Array;

/** Which values get the first and the last colour. */
export type Range = readonly [low: number, high: number];

/** How cells become colours. */
export interface Look {
  readonly table: Lookup;
  readonly range: Range;
  /** @default linear */
  readonly scale?: ColorScale | undefined;
  /** The pixel of what is no finite number. */
  readonly notFinite: number;
}

export function pixel([r, g, b]: Rgb): number {
  // The bytes of a pixel are red, green, blue, opacity; every browser runs on little-endian machines.
  return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
}

const tables = new Map<Palette | DivergingPalette, Lookup>();

/** The colours of a palette; always the same array for the same palette. */
export function lookup(palette: Palette | DivergingPalette): Lookup {
  let table = tables.get(palette);
  if (!table) {
    table = Uint32Array.from({ length: 256 }, (_, i) => pixel(colorAt(palette, (i + 0.5) / 256)));
    tables.set(palette, table);
  }
  return table;
}

/** Cells as a picture of a dot each. */
export function cellsCanvas(cells: Cells, look: Look): HTMLCanvasElement {
  return dots(paint(cells, look), cells.columns, cells.rows);
}

/** Pixels as a picture. */
export function dots(pixels: Uint32Array, width: number, height: number): HTMLCanvasElement {
  const context = offscreen(width, height);
  const bytes = new Uint8ClampedArray(pixels.buffer as ArrayBuffer);
  context.putImageData(new ImageData(bytes, width, height), 0, 0);
  return context.canvas;
}

/** Colours cells, row by row; hidden keys stay clear, so that the hatch behind them shows. */
export function paint(cells: Cells, { table, range, scale, notFinite }: Look): Uint32Array {
  const pixels = new Uint32Array(cells.values.length);
  const [low, high] = range;
  for (let e = 0; e < pixels.length; e++) {
    const kind = cells.kinds[e];
    if (kind === VALUE) pixels[e] = table[paletteIndex(colorPosition(cells.values[e]!, low, high, scale))]!;
    else if (kind === NOT_FINITE) pixels[e] = notFinite;
  }
  return pixels;
}

/** So many queries tell how strong a head's weights are: few enough for a map of many tokens to be read at once. */
const MOST_SAMPLED = 32;

/** The range of the domain `typical`, by queries evenly apart. */
export function typicalRange(map: AttentionMap, head: number): Range {
  const most = Math.min(map.T, MOST_SAMPLED);
  const maxima = Array.from({ length: most }, (_, n) =>
    map.row(head, Math.floor((n * map.T) / most)).values.reduce((a, b) => Math.max(a, b)),
  );
  return [0, typicalHigh(maxima)];
}
