import { readBytes } from "../read-bytes.ts";
import { decodeJpeg, isJpeg } from "./jpeg.ts";
import { decodeAnyPng, isPng } from "./png.ts";
import { notReadable, type RgbaPicture } from "./rgba-picture.ts";

export interface ReadPictureOptions {
  /** The most pixels that are unpacked: a file of 60 kB may hold 60 million. @default 2²⁵, 33 million */
  readonly mostPixels?: number;
}

/** Some 1 GB while a JPEG of three full channels is read. */
const MOST_PIXELS = 2 ** 25;

/** Kinds of pictures that people have and that are not read, by how they begin. */
const OTHERS: readonly (readonly [string, RegExp])[] = [
  ["a GIF", /^GIF8/],
  ["a WebP picture", /^RIFF....WEBP/s],
  ["a BMP", /^BM/],
  ["a TIFF", /^(II\*\0|MM\0\*)/],
  ["an HEIC or AVIF picture", /^....ftyp(hei|hev|mif|msf|avi)/s],
  ["an SVG drawing", /^\s*(<\?xml[^>]*>\s*)?(<!--[^>]*>\s*)?<svg/],
  ["a PDF", /^%PDF/],
];

/**
 * A PNG or JPEG of any size and mode as red, green, blue and opacity of 8 bits, told apart by content, not by name, and
 * turned as its EXIF block says.
 *
 * Of a PNG: grey, colour, palette, with and without transparency, 1 to 16 bits, interlaced or not (the decoder is pngjs). Of
 * a JPEG: grey, colour and CMYK, baseline and progressive (jpeg-js). Colour profiles are not applied. Cost: O(pixels).
 *
 * @throws FileError UNREADABLE · DataError FORMAT for what is no such picture, DAMAGED for one that is cut off or broken,
 *   LIMIT for more pixels than `mostPixels`, by the header alone
 * @example
 * writeFileSync("two.png", encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) }));
 * (await readPicture("two.png")).data; // Uint8Array [0, 0, 0, 255, 255, 255, 255, 255]
 */
export async function readPicture(file: string, options: ReadPictureOptions = {}): Promise<RgbaPicture> {
  return decodePicture(readBytes("readPicture", file), file, options);
}

/**
 * The picture of the bytes of a file: see `readPicture`.
 *
 * @param file what the errors call the bytes
 * @throws DataError FORMAT, DAMAGED, LIMIT
 * @example
 * const png = encodePng({ width: 1, height: 1, channels: 3, data: Uint8Array.of(10, 20, 30) });
 * (await decodePicture(png, "one.png")).data; // Uint8Array [10, 20, 30, 255]
 */
export async function decodePicture(
  bytes: Uint8Array,
  file: string,
  { mostPixels = MOST_PIXELS }: ReadPictureOptions = {},
): Promise<RgbaPicture> {
  if (isPng(bytes)) return decodeAnyPng(bytes, { file, mostPixels });
  if (isJpeg(bytes)) return decodeJpeg(bytes, { file, mostPixels });
  const begin = String.fromCharCode(...bytes.subarray(0, 256));
  const [other = "bytes of another kind"] = OTHERS.find(([, pattern]) => pattern.test(begin)) ?? [];
  throw notReadable(file, bytes.length === 0 ? "an empty file" : other);
}
