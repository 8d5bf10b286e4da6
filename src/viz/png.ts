import { zlibSync } from "fflate";
import { colorAt, PALETTES, type Palette } from "./color.ts";
import { oneOf } from "./options.ts";
import { refuse, refuseLength } from "./refuse.ts";

/** Pixels in rows from the top, 1 (grey), 3 (RGB) or 4 (RGBA) bytes each, or one index into `palette`. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array | Uint8ClampedArray;
  /** RGB triples: `data` then holds indices into it, one byte a pixel. At most 256 colours. */
  readonly palette?: Uint8Array;
}

export interface PngOptions {
  /** Latin-1 notes, by keyword: what the picture shows, how it was made. */
  readonly text?: Readonly<Record<string, string>>;
  /** 0 (fast) to 9 (small). @default 6 */
  readonly level?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
}

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
/** Sides that every reader takes. */
const MOST_PIXELS = 32_767;
const COLOR_TYPE = { 1: 0, 3: 2, 4: 6, palette: 3 } as const;

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/**
 * An image as a PNG file, in Node and in browsers alike.
 *
 * Cost: O(bytes). A palette makes a third of an RGB file, and is exact for maps, whose colours come from a table of 256.
 *
 * @throws ShapeError SHAPE when the data are not width·height·channels bytes · OptionError OPTION
 * @example
 * const png = encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 * String.fromCharCode(...png.subarray(1, 4)); // "PNG"
 */
export function encodePng(pixels: Pixels, { text = {}, level = 6 }: PngOptions = {}): Uint8Array {
  const op = "encodePng";
  const { width, height, channels, data, palette } = pixels;
  check(op, pixels);
  const stride = width * channels;
  const lines = new Uint8Array(height * (stride + 1));
  for (let y = 0; y < height; y++)
    lines.set(data.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, palette ? COLOR_TYPE.palette : COLOR_TYPE[channels]], 8);
  const notes = Object.entries(text).map(([key, note]) => chunk("tEXt", latin1(`${key}\0${note}`)));
  return join([
    SIGNATURE,
    chunk("IHDR", header),
    ...(palette ? [chunk("PLTE", palette)] : []),
    ...notes,
    chunk("IDAT", zlibSync(lines, { level })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** A palette's table as RGB triples, for `Pixels`. */
export function paletteBytes(palette: Palette): Uint8Array {
  oneOf("paletteBytes", "palette", palette, PALETTES);
  return Uint8Array.from({ length: 256 * 3 }, (_, n) => colorAt(palette, Math.floor(n / 3) / 256)[n % 3]!);
}

/** A file as a `data:` address, for pictures within pictures. */
export function pngDataUri(png: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < png.length; at += 8192) binary += String.fromCharCode(...png.subarray(at, at + 8192));
  return `data:image/png;base64,${btoa(binary)}`;
}

function check(op: string, { width, height, channels, data, palette }: Pixels): void {
  for (const [option, side] of Object.entries({ width, height })) {
    if (Number.isInteger(side) && side >= 1 && side <= MOST_PIXELS) continue;
    const rule = `an integer from 1 to ${MOST_PIXELS}`;
    refuse(op, option, rule, String(side), "pool or cut the image first");
  }
  oneOf(op, "channels", channels, palette ? [1] : [1, 3, 4]);
  const expected = width * height * channels;
  if (data.length !== expected) refuseLength(op, "data", "width·height·channels", expected, data.length);
  if (!palette) return;
  const colors = palette.length / 3;
  let largest = 0;
  for (const index of data) largest = Math.max(largest, index);
  if (Number.isInteger(colors) && colors <= 256 && largest < colors) return;
  const rule = `RGB triples, at most 256, one for every index up to ${largest}`;
  refuse(op, "palette", rule, `${palette.length} bytes`, "pass paletteBytes(…)");
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(latin1(type), 4);
  out.set(data, 8);
  view.setUint32(data.length + 8, crc32(out.subarray(4, data.length + 8)));
  return out;
}

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** What Latin-1 has no letter for becomes "?". */
function latin1(text: string): Uint8Array {
  return Uint8Array.from([...text], (letter) => {
    const code = letter.codePointAt(0)!;
    return code < 256 ? code : 63;
  });
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
