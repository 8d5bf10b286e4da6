import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { notAChoice } from "../../core/faults.ts";
import { checkRank } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { type AffineGridOptions, type AffineParameters, checkCorners } from "./affine-grid.ts";
import { gaussianGlimpse } from "./gaussian-glimpse.ts";
import type { GaussianParameters } from "./gaussian-mask.ts";
import { checkGlimpse, checkPerExample, checkSize, type GlimpseResult, type ImageSize } from "./glimpse.ts";
import { spatialTransformer } from "./spatial-transformer.ts";

/** A window on an image, in pixels, all [B]: the pixels from `top` to `top + height − 1`, fractions allowed. */
export interface GlimpseWindow {
  top: tf.Tensor1D;
  left: tf.Tensor1D;
  height: tf.Tensor1D;
  width: tf.Tensor1D;
}

/** Means over Gaussians, or between the four nearest pixels with the edge repeated. */
export type ResizeOptions =
  | { sampler: "gaussian" }
  | { sampler: "bilinear"; alignCorners: AffineGridOptions["alignCorners"] };

/**
 * The Gaussian glimpse of a window: as many Gaussians as the glimpse has pixels, spread evenly over it.
 *
 *     d = height/h,    u = top + (d − 1)/2,    σ = max(d, 1)/2    and the same for columns
 *
 * Symbols: d stride, u first centre, σ deviation, as in `gaussianMask`. Shapes: four of [B] → u, d, s [B] of each axis.
 * Conventions: σ is half a stride, so that neighbours overlap and no pixel is skipped, and at least half a pixel.
 * Cost: O(B). Source: Kosiorek 2017, "Attention in Neural Networks and How to Use It"; DRAW, arxiv.org/abs/1502.04623.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @example
 * const [zero, eight] = [tf.tensor1d([0]), tf.tensor1d([8])];
 * windowGaussians({ top: zero, left: zero, height: eight, width: eight }, [4, 2]).y.u; // [0.5]
 */
export function windowGaussians(window: GlimpseWindow, size: ImageSize): GaussianParameters {
  checkWindow("windowGaussians", window);
  checkSize("windowGaussians", "size [h, w]", size);
  const axis = (from: tf.Tensor1D, length: tf.Tensor1D, n: number) => {
    const d = tf.div(length, n) as tf.Tensor1D;
    const u = tf.add(from, tf.mul(tf.sub(d, 1), 0.5)) as tf.Tensor1D;
    return { u, d, s: tf.mul(tf.maximum(d, 1), 0.5) as tf.Tensor1D };
  };
  return tidy(() => {
    const y = axis(window.top, window.height, size[0]);
    return { y, x: axis(window.left, window.width, size[1]) };
  });
}

/**
 * The spatial transformer of a window, as four numbers.
 *
 *     alignCorners      scaleX = (width − 1)/(W − 1),    shiftX = (2·left + width − 1)/(W − 1) − 1
 *     otherwise         scaleX = width/W,                shiftX = (2·left + width)/W − 1
 *
 * Symbols: the glimpse's first column reads `left`, its last one `left + width − 1`, with alignCorners at the pixels'
 * centres. Shapes: four of [B] → { scaleX, shiftX, scaleY, shiftY } [B].
 * Conventions: width = w and a whole left are the hard crop. Cost: O(B). Paper: Jaderberg et al. 2015, §3.2,
 * arxiv.org/abs/1506.02025.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @example
 * const [one, three] = [tf.tensor1d([1]), tf.tensor1d([3])];
 * const theta = windowAffine({ top: one, left: one, height: three, width: three }, [5, 5], { alignCorners: true });
 * theta.scaleX; // [0.5]
 */
export function windowAffine(
  window: GlimpseWindow,
  imageSize: ImageSize,
  options: AffineGridOptions,
): Required<AffineParameters> {
  checkWindow("windowAffine", window);
  checkSize("windowAffine", "imageSize [H, W]", imageSize);
  checkCorners("windowAffine", options);
  const inner = options.alignCorners ? 1 : 0;
  const axis = (from: tf.Tensor1D, length: tf.Tensor1D, pixels: number) => {
    const extent = Math.max(pixels - inner, 1);
    const scale = tf.div(tf.sub(length, inner), extent) as tf.Tensor1D;
    return [scale, tf.sub(tf.add(tf.mul(from, 2 / extent), scale), 1) as tf.Tensor1D] as const;
  };
  return tidy(() => {
    const [scaleY, shiftY] = axis(window.top, window.height, imageSize[0]);
    const [scaleX, shiftX] = axis(window.left, window.width, imageSize[1]);
    return { scaleX, shiftX, scaleY, shiftY };
  });
}

/**
 * Resizing glimpse: any window of an image at any size, by either sampler.
 *
 *     g = gaussianGlimpse(I, windowGaussians(window))    or    spatialTransformer(I, windowAffine(window))
 *
 * Symbols: I the image, g the glimpse. Shapes: image [B, H, W, C], window { top, left, height, width } [B] → output
 * [B, h, w, C].
 * Conventions: a window of the whole image resizes the image. A constant image gives the same constant at any ratio:
 * Gaussians are normalised, and bilinear sampling repeats the edge. Shrinking, "gaussian" averages all pixels and
 * "bilinear" reads four for each, which aliases beyond a ratio of 2. Differentiable in the image and the window.
 * Cost: that of the sampler. Papers: DRAW, arxiv.org/abs/1502.04623; Jaderberg et al. 2015, arxiv.org/abs/1506.02025.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const ring = tf.cos(tf.sqrt(tf.add(tf.square(tf.sub(tf.range(0, 32), 16)), tf.square(tf.reshape(tf.sub(tf.range(0, 32), 16), [32, 1])))));
 * const [zero, all] = [tf.tensor1d([0]), tf.tensor1d([32])];
 * return resizeGlimpse(tf.reshape(ring, [1, 32, 32, 1]), { top: zero, left: zero, height: all, width: all }, [16, 24], { sampler: "gaussian" }).output;
 * @example
 * const [zero, four] = [tf.tensor1d([0]), tf.tensor1d([4])];
 * const window = { top: zero, left: zero, height: four, width: four };
 * const { output } = resizeGlimpse(tf.ones([1, 4, 4, 1]), window, [1, 3], { sampler: "gaussian" });
 * tf.squeeze(output); // [1.000, 1.000, 1.000]
 */
export function resizeGlimpse(
  image: tf.Tensor4D,
  window: GlimpseWindow,
  size: ImageSize,
  options: ResizeOptions,
): GlimpseResult {
  const op = "resizeGlimpse";
  checkGlimpse(op, image, size);
  const [B, H, W] = image.shape;
  checkWindow(op, window, B);
  const choices = ["gaussian", "bilinear"];
  if (!choices.includes(options?.sampler)) {
    throw new OptionError("OPTION", notAChoice({ op, name: "sampler", choices, got: options?.sampler }));
  }
  if (options.sampler === "bilinear") checkCorners(op, options);
  return tidy(() => {
    if (options.sampler === "gaussian") return gaussianGlimpse(image, windowGaussians(window, size), size);
    const { alignCorners } = options;
    const theta = windowAffine(window, [H, W], { alignCorners });
    return spatialTransformer(image, theta, size, { alignCorners, padding: "border" });
  });
}

function checkWindow(op: string, { top, left, height, width }: GlimpseWindow, batch?: number): void {
  checkRank(op, "top [B]", top, 1);
  checkPerExample(op, batch ?? top.shape[0], { top, left, height, width });
}
