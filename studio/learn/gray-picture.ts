import { encodePng, pngDataUri } from "../../src/viz/png.ts";

/**
 * Rows of numbers from 0 to 1 as the address of a grey picture, for an `<image>`; what lies beyond is held to the ends.
 *
 * @example
 * grayPicture([[0, 1]]).startsWith("data:image/png"); // true
 */
export function grayPicture(rows: readonly (readonly number[])[]): string {
  const data = Uint8Array.from(rows.flat(), (x) => Math.round(255 * Math.max(0, Math.min(1, x))));
  return pngDataUri(encodePng({ height: rows.length, width: rows[0]!.length, channels: 1, data }));
}
