import { type Cells, NOT_FINITE, VALUE } from "../../inspect/cells.ts";
import { colorAt, type DivergingPalette, type Palette, paletteIndex, type Rgb } from "../../viz/color.ts";
import { type ColorScale, colorPosition } from "../../viz/scale.ts";

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
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [cells.columns, cells.rows];
  const bytes = new Uint8ClampedArray(paint(cells, look).buffer as ArrayBuffer);
  canvas.getContext("2d")!.putImageData(new ImageData(bytes, cells.columns, cells.rows), 0, 0);
  return canvas;
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
