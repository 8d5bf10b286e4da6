import type { RgbaPicture } from "../../../src/data/pictures/rgba-picture.ts";
import { encodePng } from "../../../src/viz/index.ts";
import { ownBytes } from "./trace-bytes.ts";

/** What reads pictures: the browser, or in Node the readers of src/data. */
export type DecodePicture = (picture: Blob) => Promise<RgbaPicture>;

/** A picture of more pixels is refused before its pixels are read. */
const MOST_PIXELS = 2 ** 25;

/**
 * The pixels of whatever picture the browser can read.
 *
 * @throws Error with a message for the reader
 */
export async function decodePicture(picture: Blob): Promise<RgbaPicture> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(picture, { colorSpaceConversion: "none" });
  } catch (cause) {
    const name = picture instanceof File ? picture.name : "the file";
    throw new Error(`${name} is no picture that can be read; take a PNG or a JPEG`, { cause });
  }
  const { width, height } = bitmap;
  try {
    if (width * height > MOST_PIXELS)
      throw new Error(
        `the picture has ${width} × ${height} pixels; ${MOST_PIXELS} are read at most, make it smaller`,
      );
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return { height, width, channels: 4, data: new Uint8Array(data.buffer) };
  } finally {
    bitmap.close();
  }
}

/** The greys that a model read, as a PNG. */
export function seenPng(
  pixels: Uint8Array,
  { height, width }: { height: number; width: number },
): Uint8Array<ArrayBuffer> {
  return ownBytes(encodePng({ height, width, channels: 1, data: pixels }));
}
