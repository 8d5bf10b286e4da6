import { exifOrientation, orient } from "./orientation.ts";
import { reason } from "./png.ts";
import { checkSize, type DecodeContext, damaged, notReadable, type RgbaPicture } from "./rgba-picture.ts";

const START = [0xff, 0xd8, 0xff];
const SCAN = 0xda;
const END = 0xd9;
const APP1 = 0xe1;
/** Baseline, extended and progressive frames, Huffman coded: what nearly all programs write. */
const FRAMES = [0xc0, 0xc1, 0xc2];
/** Frames that are none of those: lossless, hierarchical, arithmetic coded. */
const RARE_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];
/** Coefficients of 33 million pixels in three full channels. */
const MOST_MEGABYTES = 2048;

/** Whether the bytes begin as a JPEG does. */
export const isJpeg = (bytes: Uint8Array) => START.every((byte, at) => bytes[at] === byte);

/**
 * The pixels of a JPEG: grey, colour or CMYK, baseline or progressive; turned as its EXIF block says.
 *
 * The size is checked by the header. A file that is cut off is refused, though half of its picture could be shown. Colour
 * profiles are not applied.
 *
 * @throws DataError LIMIT, DAMAGED, FORMAT
 */
export async function decodeJpeg(bytes: Uint8Array, context: DecodeContext): Promise<RgbaPicture> {
  const { file, mostPixels } = context;
  const { height, width, exif } = header(bytes, file);
  checkSize(height, width, context);
  const { decode } = await import("jpeg-js");
  try {
    const maxResolutionInMP = mostPixels / 1e6;
    const options = { useTArray: true, maxResolutionInMP, maxMemoryUsageInMB: MOST_MEGABYTES } as const;
    const { data } = decode(bytes, options);
    return orient({ height, width, channels: 4, data }, exifOrientation(exif));
  } catch (cause) {
    throw damaged(file, "a whole JPEG of a common kind", reason(cause), cause);
  }
}

/** Size and EXIF block, from the segments before the first scan. */
function header(bytes: Uint8Array, file: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let exif: Uint8Array = new Uint8Array(0);
  let size: { height: number; width: number } | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    // Any number of bytes 255 may stand before a marker.
    if (bytes[at] !== 0xff || bytes[at + 1] === 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1]!;
    const body = bytes.subarray(at + 4, at + 2 + view.getUint16(at + 2));
    if (RARE_FRAMES.includes(marker))
      throw notReadable(file, "a JPEG without loss or with arithmetic coding");
    if (FRAMES.includes(marker) && body.length >= 6) {
      if (body[0] !== 8) throw notReadable(file, `a JPEG of ${body[0]} bits a sample`);
      size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    if (marker === APP1 && exif.length === 0 && isExif(body)) exif = body.subarray(6);
    if (marker === SCAN) {
      if (!size) break;
      if (!hasEnd(bytes, at)) throw damaged(file, "a whole JPEG", "one that is cut off");
      return { ...size, exif };
    }
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  throw damaged(file, "a whole JPEG", "one without a header or pixels");
}

const isExif = (body: Uint8Array) => String.fromCharCode(...body.subarray(0, 6)) === "Exif\0\0";

/** Whether an end stands behind the pixels; cameras may write more after it. */
function hasEnd(bytes: Uint8Array, scan: number): boolean {
  for (let at = bytes.length - 2; at > scan; at--)
    if (bytes[at] === 0xff && bytes[at + 1] === END) return true;
  return false;
}
