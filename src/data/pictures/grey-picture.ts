import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import type { RgbaPicture } from "./rgba-picture.ts";

export interface GreyPictureOptions {
  /** Pixels of a side of the square that comes out. @default 64 */
  readonly side?: number;
  /**
   * What the border of the picture should be, black (0) or white (255): a picture whose border is nearer to the other is
   * inverted, then moved and stretched so that the border is exactly that. Without it the greys stay as they are.
   */
  readonly background?: 0 | 255;
}

/** A square of greys, and where the picture stands in it. */
export interface GreyPicture {
  readonly side: number;
  /** [side, side], 0 black … 255 white. */
  readonly pixels: Uint8Array;
  /** Whether dark and light were exchanged. */
  readonly inverted: boolean;
  /** The picture in the square, in pixels; margins fill the rest. */
  readonly place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

/** Weights of red, green and blue in brightness (ITU-R BT.601), as Pillow's mode L has them. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * A picture of any size as the models of heed read pictures: one square of greys.
 *
 *     grey = α (0.299 R + 0.587 G + 0.114 B) + (1 − α) 255,    α = opacity / 255: what is transparent is laid on white
 *
 * A picture that is larger than the square is made smaller with its proportions kept, each grey the mean of the area that
 * it covers; a smaller one keeps its size. It stands in the middle; the margins get the background, or where none is asked
 * for the median of the picture's border. Cost: O(pixels).
 *
 * @throws OptionError OPTION for a side that is no whole number from 1 to 4096
 * @example
 * const data = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 0); // white, black, transparent
 * greyPicture({ height: 1, width: 3, channels: 4, data }, { side: 3 }).pixels.subarray(3, 6); // Uint8Array [255, 0, 255]
 */
export function greyPicture(
  picture: RgbaPicture,
  { side = 64, background }: GreyPictureOptions = {},
): GreyPicture {
  if (!(Number.isInteger(side) && side >= 1 && side <= 4096))
    throw new OptionError(
      "OPTION",
      outOfRange({ op: "greyPicture", name: "side", rule: "a whole number from 1 to 4096", got: side }),
    );
  return { side, ...greyRectangle(picture, { height: side, width: side, background }) };
}

/**
 * A picture as a rectangle of greys of this height and width; otherwise as `greyPicture` does.
 *
 * @example
 * const data = new Uint8Array(4 * 100 * 400).fill(255);
 * const { place } = greyRectangle({ height: 100, width: 400, channels: 4, data }, { height: 64, width: 128 });
 * [place.height, place.width]; // [32, 128]
 */
export function greyRectangle(
  picture: RgbaPicture,
  size: { readonly height: number; readonly width: number; readonly background?: 0 | 255 | undefined },
): Omit<GreyPicture, "side"> {
  const scale = Math.min(1, size.height / picture.height, size.width / picture.width);
  const height = Math.max(1, Math.round(picture.height * scale));
  const width = Math.max(1, Math.round(picture.width * scale));
  const greys = shrink(picture, height, width);
  const border = borderMedian(greys, height, width);
  const levels = levelsOf(border, size.background);
  const place = { x: (size.width - width) >> 1, y: (size.height - height) >> 1, width, height };
  const pixels = new Uint8Array(size.height * size.width).fill(size.background ?? Math.round(border));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      pixels[(place.y + y) * size.width + place.x + x] = Math.round(levels.of(greys[y * width + x]!));
  return { pixels, inverted: levels.inverted, place };
}

/** How greys become those of a picture with the background that is asked for. */
function levelsOf(border: number, background: 0 | 255 | undefined) {
  if (background === undefined) return { inverted: false, of: (grey: number) => grey };
  const inverted = Math.abs(border - background) > 127.5;
  // Distances from the border's grey, stretched so that the far end of the greys stays the far end.
  const from = inverted ? 255 - border : border;
  const range = Math.abs(255 - background - from);
  const of = (grey: number) => {
    const distance = Math.abs(255 - background - (inverted ? 255 - grey : grey));
    return Math.abs(255 - background - Math.min(255, (distance / range) * 255));
  };
  return { inverted, of };
}

/** The picture with this height and width, which are at most its own: each grey is the mean of the area it covers. */
function shrink({ data, ...picture }: RgbaPicture, height: number, width: number): Float64Array {
  const greys = new Float64Array(height * width);
  const line = new Float64Array(width);
  for (let y = 0; y < picture.height; y++) {
    shrinkLine(data.subarray(4 * y * picture.width, 4 * (y + 1) * picture.width), line);
    spread(y, picture.height, height, (to, share) => {
      for (let x = 0; x < width; x++) greys[to * width + x]! += line[x]! * share;
    });
  }
  return greys;
}

function shrinkLine(pixels: Uint8Array, line: Float64Array): void {
  line.fill(0);
  const [red, green, blue] = LUMA;
  const count = pixels.length / 4;
  for (let x = 0; x < count; x++) {
    const at = 4 * x;
    const opacity = pixels[at + 3]! / 255;
    const grey = red * pixels[at]! + green * pixels[at + 1]! + blue * pixels[at + 2]!;
    spread(x, count, line.length, (to, share) => {
      line[to]! += share * (opacity * grey + (1 - opacity) * 255);
    });
  }
}

/** Gives the part of cell `at` of `from` cells to each of the at most two cells of `to ≤ from` cells that it lies in. */
function spread(at: number, from: number, to: number, add: (cell: number, share: number) => void): void {
  const scale = to / from;
  const [begin, end] = [at * scale, (at + 1) * scale];
  const first = Math.min(to - 1, Math.floor(begin));
  const inFirst = Math.min(end, first + 1) - begin;
  add(first, inFirst);
  if (first + 1 < to && end > first + 1) add(first + 1, end - first - 1);
}

function borderMedian(greys: Float64Array, height: number, width: number): number {
  const isBorder = (_: number, at: number) => {
    const [y, x] = [Math.floor(at / width), at % width];
    return y === 0 || x === 0 || y === height - 1 || x === width - 1;
  };
  const border = greys.filter(isBorder).sort();
  return border[border.length >> 1]!;
}

/**
 * A picture as a scene, as `heed caption`, `detect` and `ask` read it: 64 × 64 greys, light things on black.
 *
 * @example
 * const white = { height: 1, width: 1, channels: 4, data: Uint8Array.of(255, 255, 255, 255) };
 * sceneOf(white).inverted; // true
 */
export function sceneOf(picture: RgbaPicture): GreyPicture {
  return greyPicture(picture, { side: 64, background: 0 });
}
