import { inflateSync } from "node:zlib";
import { exifOrientation, orient } from "./orientation.ts";
import { checkSize, type DecodeContext, damaged, notReadable, type RgbaPicture } from "./rgba-picture.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** Samples of a pixel by colour type: grey, RGB, palette, grey with alpha, RGB with alpha. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const ADAM7 = 1;
/** What writers may leave behind the last line; the decoder ignores it. */
const SLACK = 2 ** 16;

/** Whether the bytes begin as a PNG does. */
export const isPng = (bytes: Uint8Array) => SIGNATURE.every((byte, at) => bytes[at] === byte);

/**
 * The pixels of a PNG of any kind: 1 to 16 bits a sample, palettes, transparency, interlaced; turned as its EXIF block says.
 *
 * The size is checked by the header, and what the data unpack to by the size, so that a small file claims no more
 * memory than its picture needs. 16 bits become 8. Colour profiles are not applied.
 *
 * @throws DataError LIMIT, DAMAGED, FORMAT
 */
export async function decodeAnyPng(bytes: Uint8Array, context: DecodeContext): Promise<RgbaPicture> {
  const { file } = context;
  const { header, data, exif } = chunks(bytes, file);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  checkSize(height, width, context);
  const [depth = 0, type = 0, , , interlace] = header.subarray(8);
  const samples = SAMPLES[type];
  if (samples === undefined || ![1, 2, 4, 8, 16].includes(depth))
    throw notReadable(file, `a PNG of ${depth} bits and colour type ${type}`);
  checkData(data, linesOf(height, width, samples * depth, interlace === ADAM7), file);
  const { PNG } = await import("pngjs");
  try {
    const png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    return orient({ height, width, channels: 4, data: Uint8Array.from(png.data) }, exifOrientation(exif));
  } catch (cause) {
    throw damaged(file, "a whole PNG", reason(cause), cause);
  }
}

/** What a decoder says, without its full stop or line ends. */
export const reason = (cause: unknown) =>
  (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, " ").replace(/\.$/, "");

function chunks(bytes: Uint8Array, file: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data: Uint8Array[] = [];
  let header: Uint8Array | undefined;
  let exif: Uint8Array = new Uint8Array(0);
  let isEnded = false;
  for (let at = SIGNATURE.length; at + 12 <= bytes.length && !isEnded; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (name === "IHDR" && length === 13 && body.length === 13) header ??= body;
    if (name === "IDAT") data.push(body);
    if (name === "eXIf") exif = body;
    isEnded = name === "IEND";
    at += 12 + length;
  }
  if (!header || data.length === 0) throw damaged(file, "a whole PNG", "one without a header or pixels");
  if (!isEnded) throw damaged(file, "a whole PNG", "one that is cut off");
  return { header, data: Buffer.concat(data), exif };
}

/** The bytes of all lines, each with the byte that says how it is filtered. */
function linesOf(height: number, width: number, bits: number, isInterlaced: boolean): number {
  const pass = (x: number, y: number, xStep: number, yStep: number) => {
    const columns = Math.ceil((width - x) / xStep);
    const rows = Math.ceil((height - y) / yStep);
    return columns > 0 && rows > 0 ? rows * (Math.ceil((columns * bits) / 8) + 1) : 0;
  };
  if (!isInterlaced) return pass(0, 0, 1, 1);
  const corners = pass(0, 0, 8, 8) + pass(4, 0, 8, 8) + pass(0, 4, 4, 8) + pass(2, 0, 4, 4);
  return corners + pass(0, 2, 2, 4) + pass(1, 0, 2, 2) + pass(0, 1, 1, 2);
}

/** The decoder unpacks without a limit; so this does first, with one. */
function checkData(data: Uint8Array, expected: number, file: string): void {
  let lines: Uint8Array;
  try {
    lines = inflateSync(data, { maxOutputLength: expected + SLACK });
  } catch (cause) {
    const isMore = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    const got = isMore ? "data for a larger one" : "data that do not unpack";
    throw damaged(file, "a whole PNG", got, cause);
  }
  if (lines.length < expected) throw damaged(file, "a PNG with all its pixels", "one with fewer");
}
