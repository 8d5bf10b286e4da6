import type * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";

/** Rows and columns: [h, w] of a glimpse, [H, W] of an image. */
export type ImageSize = readonly [rows: number, columns: number];

export interface GlimpseResult {
  /** [B, h, w, C] */
  output: tf.Tensor4D;
}

/**
 * A glimpse: what attention takes from an image, g = f(I; parameters) with I [B, H, W, C] and g [B, h, w, C]. Hard
 * crops, soft masks, Gaussian glimpses, DRAW's reading and spatial transformers are all called alike; each example has
 * parameters of its own.
 */
export type Glimpse<P, O = undefined> = (
  image: tf.Tensor4D,
  parameters: P,
  size: ImageSize,
  ...options: undefined extends O ? [options?: O] : [options: O]
) => GlimpseResult;

/** Throws unless image is [B, H, W, C] with pixels, in floating-point numbers, and size is [h, w]. */
export function checkGlimpse(op: string, image: tf.Tensor4D, size: ImageSize): void {
  checkRank(op, "image [B, H, W, C]", image, 4);
  checkTensors(op, [{ name: "image", tensor: image, letters: "[B, H, W, C]", shape: image.shape }]);
  const [, H, W] = image.shape;
  checkSize(op, "size [h, w]", size);
  if (H > 0 && W > 0) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: "image must have H ≥ 1 rows and W ≥ 1 columns",
    got: `H = ${H} and W = ${W}`,
    remedy: "an image without pixels has nothing to look at",
  });
}

/** Throws OPTION unless it is two whole numbers of 1 or more. */
export function checkSize(op: string, name: string, size: ImageSize): void {
  if (Array.isArray(size) && size.length === 2 && size.every((n) => Number.isInteger(n) && n >= 1)) return;
  throw new OptionError("OPTION", {
    op,
    rule: `${name} must be two integers of 1 or more`,
    got: JSON.stringify(size) ?? "undefined",
    remedy: "give rows, then columns",
  });
}

/** Throws unless each named parameter is [B], one number for every example. */
export function checkPerExample(
  op: string,
  B: number,
  parameters: Readonly<Record<string, tf.Tensor>>,
  dtype: "float32" | "int32" = "float32",
): void {
  checkTensors(
    op,
    Object.entries(parameters).map(([name, tensor]) => ({ name, tensor, letters: "[B]", shape: [B], dtype })),
  );
}
