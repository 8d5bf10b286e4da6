import { colorAt, type Palette } from "../color.ts";
import { encodePng } from "../png.ts";
import { upsample } from "./upsample.ts";

/** Of a map over an image, where the weight is largest. */
const OPACITY = 0.85;

/** By a loop: a map may have more numbers than a call may have arguments. */
export function largest(map: ArrayLike<number>): number {
  let most = 0;
  for (let cell = 0; cell < map.length; cell++) most = Math.max(most, map[cell]!);
  return most;
}

export interface OverlayStyle {
  readonly palette: Palette;
  /** Interpolates between the cells, to the pixels of the image. */
  readonly smooth: boolean;
  /** The weight that has the brightest colour. */
  readonly most: number;
}

/** A map as a translucent image: squares as they are, or smoothed to the image's pixels. */
export function overlay(
  map: ArrayLike<number>,
  grid: readonly [number, number],
  image: { readonly height: number; readonly width: number },
  { palette, smooth, most }: OverlayStyle,
): Uint8Array {
  const [rows, columns] = smooth ? [image.height, image.width] : grid;
  const shares = smooth ? upsample(map, grid, [rows, columns], true) : Float64Array.from(map);
  // Upsampling spreads a cell's weight over its pixels; the colours are those of the cells.
  const unit = (smooth ? (grid[0] * grid[1]) / (rows * columns) : 1) * (most || 1);
  const data = new Uint8Array(rows * columns * 4);
  shares.forEach((share, cell) => {
    const strength = Math.min(1, share / unit);
    data.set([...colorAt(palette, strength), Math.round(255 * OPACITY * strength)], cell * 4);
  });
  return encodePng({ width: columns, height: rows, channels: 4, data });
}
