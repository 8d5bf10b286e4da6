import { encodePng, pngDataUri } from "../png.ts";
import { refuse, refuseLength } from "../refuse.ts";
import { element } from "../svg/markup.ts";

/** An image as numbers: H·W·C of them in rows from the top, 0 = black, 1 = full light; grey or RGB. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  /** @default 1 */
  readonly channels?: 1 | 3;
  readonly values: ArrayLike<number>;
}

/** Where a picture stands in a figure, in pixels of the figure. */
export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Throws unless a picture is one that can be drawn.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 */
export function checkPicture(
  op: string,
  name: string,
  { height, width, channels = 1, values }: Picture,
): void {
  const whole = [height, width].every((side) => Number.isInteger(side) && side >= 1);
  if (!whole || (channels !== 1 && channels !== 3)) {
    const rule = "height and width of 1 or more, with 1 or 3 channels";
    const got = `${height} × ${width} with ${channels}`;
    refuse(op, name, rule, got, "pass { height, width, channels, values }");
  }
  const expected = height * width * channels;
  if (values.length !== expected)
    refuseLength(op, `${name}.values`, "height·width·channels", expected, values.length);
}

/** Numbers as bytes: 0 … 1 to 0 … 255, what is outside to the nearer end, NaN to 0. */
export function bytesOf(values: ArrayLike<number>): Uint8ClampedArray {
  return Uint8ClampedArray.from(values, (value) => value * 255);
}

/** The picture in its frame, each pixel a sharp square. */
export function drawPicture(picture: Picture, frame: Frame): string {
  const { height, width, channels = 1, values } = picture;
  return drawPng(encodePng({ width, height, channels, data: bytesOf(values) }), frame);
}

/** A PNG stretched to a frame, each pixel a sharp square. */
export function drawPng(png: Uint8Array, frame: Frame): string {
  const place = { ...frame, preserveAspectRatio: "none", style: "image-rendering:pixelated" };
  return element("image", { ...place, href: pngDataUri(png) });
}
