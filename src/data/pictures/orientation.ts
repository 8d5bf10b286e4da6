import type { RgbaPicture } from "./rgba-picture.ts";

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * How a camera was held, from the EXIF block of a picture (a TIFF header and its first directory): 1 … 8, and 1, "as it
 * is", where the block does not say or cannot be read.
 *
 * @example
 * exifOrientation(Uint8Array.of(0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0)); // 6
 */
export function exifOrientation(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  if (exif.length < 8) return 1;
  const isLittle = exif[0] === 0x49;
  const at = view.getUint32(4, isLittle);
  if (at + 2 > exif.length) return 1;
  const entries = view.getUint16(at, isLittle);
  for (let entry = at + 2; entry < at + 2 + 12 * entries && entry + 12 <= exif.length; entry += 12) {
    if (view.getUint16(entry, isLittle) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(entry + 8, isLittle);
    return view.getUint16(entry + 2, isLittle) === SHORT && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/**
 * The picture as it was seen: turned and mirrored as its orientation says (EXIF 2.3, tag 274).
 *
 * Orientation 6, of a camera held upright, is the commonest: the first row of the file is the right side of what was
 * seen. Orientations of 5 or more exchange height and width.
 */
export function orient(picture: RgbaPicture, orientation: number): RgbaPicture {
  if (orientation <= 1 || orientation > 8) return picture;
  const { height: H, width: W } = picture;
  const [height, width] = orientation >= 5 ? [W, H] : [H, W];
  // Both are views of whole pixels: one move for each in place of four.
  const from = new Uint32Array(picture.data.slice().buffer);
  const to = new Uint32Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) to[y * width + x] = from[place(orientation, y, x, H, W)]!;
  return { height, width, channels: 4, data: new Uint8Array(to.buffer) };
}

/** The pixel of the file, of H × W, that is seen at (y, x). */
function place(orientation: number, y: number, x: number, H: number, W: number): number {
  switch (orientation) {
    case 2: // mirrored left to right
      return y * W + (W - 1 - x);
    case 3: // turned by 180°
      return (H - 1 - y) * W + (W - 1 - x);
    case 4: // mirrored top to bottom
      return (H - 1 - y) * W + x;
    case 5: // mirrored along the main diagonal
      return x * W + y;
    case 6: // to be turned by 90° clockwise
      return (H - 1 - x) * W + y;
    case 7: // mirrored along the other diagonal
      return (H - 1 - x) * W + (W - 1 - y);
    default: // 8: to be turned by 90° anticlockwise
      return x * W + (W - 1 - y);
  }
}
