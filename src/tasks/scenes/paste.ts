import type { LabelledImages } from "../../data/labelled-images.ts";
import type { BoundingBox } from "../../models/set/bounding-boxes.ts";

interface Pasted {
  /** The number of the image. */
  readonly image: number;
  /** Rows and columns that it is to have. */
  readonly size: readonly [height: number, width: number];
  readonly left: number;
  readonly top: number;
  /** Whether left and right change places. */
  readonly isMirrored: boolean;
}

/**
 * Draws an image over pixels [side, side], resized bilinearly: pixel i of n is read at (i + ½)·N/n − ½ of N.
 *
 * @returns the smallest box around its pixels that are not 0; an image without any has its whole place
 */
export function paste(
  pixels: Uint8Array,
  side: number,
  images: LabelledImages,
  { image, size: [height, width], left, top, isMirrored }: Pasted,
): BoundingBox {
  const { height: H, width: W } = images;
  const from = images.pixels.subarray(image * H * W, (image + 1) * H * W);
  let [x0, y0, x1, y1] = [side, side, -1, -1];
  for (let row = 0; row < height; row++) {
    const y = position(row, height, H);
    for (let column = 0; column < width; column++) {
      const x = position(isMirrored ? width - 1 - column : column, width, W);
      const value = Math.round(
        mix(
          mix(from[y.low * W + x.low]!, from[y.low * W + x.high]!, x.share),
          mix(from[y.high * W + x.low]!, from[y.high * W + x.high]!, x.share),
          y.share,
        ),
      );
      if (value === 0) continue;
      const [toX, toY] = [left + column, top + row];
      pixels[toY * side + toX] = value;
      [x0, y0, x1, y1] = [Math.min(x0, toX), Math.min(y0, toY), Math.max(x1, toX), Math.max(y1, toY)];
    }
  }
  if (x1 < 0) [x0, y0, x1, y1] = [left, top, left + width - 1, top + height - 1];
  return [(x0 + x1 + 1) / 2, (y0 + y1 + 1) / 2, x1 + 1 - x0, y1 + 1 - y0].map(
    (at) => at / side,
  ) as unknown as BoundingBox;
}

const mix = (a: number, b: number, share: number) => a + (b - a) * share;

function position(i: number, n: number, N: number): { low: number; high: number; share: number } {
  const at = Math.min(N - 1, Math.max(0, ((i + 0.5) * N) / n - 0.5));
  const low = Math.floor(at);
  return { low, high: Math.min(N - 1, low + 1), share: at - low };
}
