import { type GlimpseSize, type TraceTensor, traceTensor } from "../inspect/index.ts";
import type { GlimpseCall } from "../ops/observe.ts";
import { encodePng } from "../viz/index.ts";
import { checkExample, numbers, oneOf } from "./example.ts";

/** One example of a glimpse as a trace has it: [6] or [2, 3], and how many rows and columns it has. */
export interface RecordedGlimpse {
  readonly glimpse: TraceTensor;
  readonly size: GlimpseSize;
}

/** A side of images that are kept unasked, in pixels. */
const MOST_PIXELS = 4096;

export function recordGlimpse(
  op: string,
  { op: made, parameters, size }: GlimpseCall,
  example: number,
): RecordedGlimpse {
  checkExample(op, example, made, parameters.shape[0]!);
  const one = oneOf(parameters, example);
  return { glimpse: traceTensor(one.shape, numbers(one)), size };
}

/** One example of an image [B, H, W, C] as a PNG; undefined unless it is grey or RGB with values from 0 to 1. */
export function recordImage(
  op: string,
  { image, op: made }: GlimpseCall,
  example: number,
): Uint8Array | undefined {
  const [B, height, width, channels] = image.shape;
  checkExample(op, example, made, B);
  if (!(channels === 1 || channels === 3) || Math.max(height, width) > MOST_PIXELS) return undefined;
  const values = numbers(oneOf(image, example));
  if (!values.every((value) => value >= 0 && value <= 1)) return undefined;
  const data = Uint8Array.from(values, (value) => Math.round(255 * value));
  return encodePng({ width, height, channels, data });
}
