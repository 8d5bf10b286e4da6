import { unzlibSync } from "fflate";
import { OptionError } from "../core/errors.ts";
import type { Picture } from "./image/picture.ts";
import { refuse } from "./refuse.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** Samples of a pixel by colour type: grey, RGB, palette, grey with alpha, RGB with alpha. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Deflate makes no more of a byte than this. */
const MOST_INFLATION = 1032;
/** 4,096 × 4,096 pixels take some 300 MB while they are read. */
const MOST_PIXELS = 2 ** 24;

export interface DecodePngOptions {
  /** The most pixels that are unpacked: a file of 60 kB may hold 60 million. @default 2²⁴ */
  readonly mostPixels?: number;
}

/**
 * The pixels of a PNG file of 8 bits a sample without interlacing, which is what nearly all programs write.
 *
 * Transparent pixels are laid on white. No more is allocated than the file justifies. Cost: O(pixels).
 *
 * @throws OptionError OPTION, which says what is wrong with the file · LIMIT for more pixels than `mostPixels`
 * @example
 * const png = encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 * decodePng(png).values; // Float32Array [0, 1]
 */
export function decodePng(bytes: Uint8Array, { mostPixels = MOST_PIXELS }: DecodePngOptions = {}): Picture {
  if (SIGNATURE.some((byte, at) => bytes[at] !== byte)) refuseFile("a PNG file", "bytes of another kind");
  const { header, palette, data } = chunks(bytes);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, type, , , interlaced] = header.subarray(8);
  const samples = SAMPLES[type!];
  if (depth !== 8 || samples === undefined)
    refuseFile("a PNG of 8 bits a sample", `${depth} bits, type ${type}`);
  if (interlaced !== 0) refuseFile("a PNG without interlacing", "an interlaced one");
  const stride = width * samples;
  const expected = (stride + 1) * height;
  if (!(width > 0 && height > 0 && expected <= data.length * MOST_INFLATION))
    refuseFile("a PNG with all its pixels", `${height} × ${width} pixels in ${data.length} bytes`);
  if (width * height > mostPixels) {
    const rule = `a picture must have at most ${mostPixels} pixels`;
    const remedy = "make it smaller, or raise mostPixels where there is room";
    throw new OptionError("LIMIT", { op: "decodePng", rule, got: `${height} × ${width}`, remedy });
  }
  const lines = inflate(data, expected);
  const rows = unfilter(lines, height, stride, samples);
  return { height, width, ...toPicture(rows, width * height, samples, type === 3 ? palette : undefined) };
}

function refuseFile(rule: string, got: string): never {
  const remedy = "save the image again as a plain PNG";
  return refuse("decodePng", "bytes", rule, got, remedy);
}

function chunks(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  let header: Uint8Array | undefined;
  let palette: Uint8Array | undefined;
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) refuseFile("a whole PNG file", "one that is cut off");
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (name === "IHDR") header = body;
    if (name === "PLTE") palette = body;
    if (name === "IDAT") parts.push(body);
    if (name === "IEND") break;
    at += 12 + length;
  }
  if (header?.length !== 13 || parts.length === 0)
    refuseFile("a PNG with a header and pixels", "one without");
  const data = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    data.set(part, end);
    end += part.length;
  }
  return { header, palette, data };
}

function inflate(data: Uint8Array, expected: number): Uint8Array {
  let lines: Uint8Array | undefined;
  try {
    lines = unzlibSync(data, { out: new Uint8Array(expected) });
  } catch {
    lines = undefined;
  }
  if (lines?.length !== expected) refuseFile("a PNG with all its pixels", "data that do not unpack");
  return lines;
}

/** Each line says by its first byte how it differs from its neighbours (PNG § 9.2). */
function unfilter(lines: Uint8Array, height: number, stride: number, step: number): Uint8Array {
  const rows = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (stride + 1)]!;
    if (filter > 4) refuseFile("a PNG with filters 0 to 4", `filter ${filter}`);
    for (let x = 0; x < stride; x++) {
      const to = y * stride + x;
      const left = x >= step ? rows[to - step]! : 0;
      const up = y > 0 ? rows[to - stride]! : 0;
      const corner = x >= step && y > 0 ? rows[to - stride - step]! : 0;
      rows[to] = lines[y * (stride + 1) + 1 + x]! + predicted(filter, left, up, corner);
    }
  }
  return rows;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function toPicture(
  rows: Uint8Array,
  pixels: number,
  samples: number,
  palette: Uint8Array | undefined,
): Pick<Picture, "channels" | "values"> {
  if (samples === 1 && !palette) return { channels: 1, values: Float32Array.from(rows, (x) => x / 255) };
  const channels = samples === 2 ? 1 : 3;
  const values = new Float32Array(pixels * channels);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let c = 0; c < channels; c++) {
      const at = pixel * samples;
      const light = palette ? (palette[3 * rows[at]! + c] ?? 0) : rows[at + c]!;
      const alpha = samples === 2 || samples === 4 ? rows[at + samples - 1]! : 255;
      values[pixel * channels + c] = (light * alpha + 255 * (255 - alpha)) / (255 * 255);
    }
  return { channels, values };
}
