import * as tf from "@tensorflow/tfjs-core";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkGaussians, type GaussianParameters, gaussians } from "./gaussian-mask.ts";
import { checkGlimpse, type GlimpseResult, type ImageSize } from "./glimpse.ts";
import { notifyGaussian } from "./notify.ts";

/** The masks of both axes: A_y [B, h, H] and A_x [B, w, W]. */
export interface GaussianFilters {
  y: tf.Tensor3D;
  x: tf.Tensor3D;
}

export interface GaussianGlimpseOptions {
  /** Return A_y and A_x. @default false */
  filters?: boolean;
}

export type GaussianGlimpseResult<O> = GlimpseResult & Asked<O, "filters", GaussianFilters>;

/**
 * Gaussian glimpse: every pixel of the glimpse is a mean of the image under a Gaussian of its own.
 *
 *     g = A_y I A_xᵀ
 *
 * Symbols: I the image (each channel of it), g the glimpse, A_y and A_x the masks of `gaussianMask`, three parameters
 * each. Shapes: image [B, H, W, C], u, d, s [B] of each axis → output [B, h, w, C], filters y [B, h, H], x [B, w, W].
 * Conventions: pixel centres lie at integers. σ → 0, d = 1 and whole u are the hard crop at u; d = 2 takes half of the
 * pixels; a constant image gives a constant glimpse. Six parameters for four degrees of freedom: each pixel depends on
 * a neighbourhood of about (10σ)² pixels, which makes it easy to train. Differentiable in the image and all six.
 * Cost: two products, O(B·C·h·W·(H + w)), whatever σ is; a spatial transformer costs O(B·C·h·w).
 * Paper: Gregor et al. 2015, §3.2, arxiv.org/abs/1502.04623; in the form of Kosiorek 2017.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const [row, column] = [tf.range(0, 24), tf.reshape(tf.range(0, 24), [24, 1])];
 * const rings = tf.cos(tf.sqrt(tf.add(tf.square(tf.sub(row, 7)), tf.square(tf.sub(column, 7)))));
 * const axis = (s) => ({ u: tf.tensor1d([0]), d: tf.tensor1d([1]), s: tf.tensor1d([s]) });
 * const seen = [0.3, 1, 2].map((s) => gaussianGlimpse(tf.reshape(rings, [1, 24, 24, 1]), { y: axis(s), x: axis(s) }, [15, 15]).output);
 * return tf.reshape(tf.stack(seen), [3, 15, 15]);
 * @example
 * const image = tf.tensor4d([...Array(16).keys()], [1, 4, 4, 1]);
 * const axis = (u) => ({ u: tf.tensor1d([u]), d: tf.tensor1d([2]), s: tf.tensor1d([0.01]) });
 * const { output } = gaussianGlimpse(image, { y: axis(0), x: axis(1) }, [2, 2]);
 * tf.squeeze(output); // [[1, 3], [9, 11]]
 */
export function gaussianGlimpse<const O extends GaussianGlimpseOptions>(
  image: tf.Tensor4D,
  parameters: GaussianParameters,
  size: ImageSize,
  options: O = {} as O,
): GaussianGlimpseResult<O> {
  const op = "gaussianGlimpse";
  checkGlimpse(op, image, size);
  checkGaussians(op, image.shape[0], parameters);
  return tidyAsked((): GaussianGlimpseResult<GaussianGlimpseOptions> => {
    notifyGaussian(op, image, parameters, size);
    const filters = gaussianFilters(parameters, size, [image.shape[1], image.shape[2]]);
    const output = filtered(image, filters);
    return { output, ...(options.filters && { filters }) };
  });
}

/** A_y and A_x of glimpses of this size from images of that size. */
export function gaussianFilters(
  { y, x }: GaussianParameters,
  [h, w]: ImageSize,
  [H, W]: ImageSize,
): GaussianFilters {
  return { y: gaussians(y, h, H), x: gaussians(x, w, W) };
}

/**
 * A_y I A_xᵀ for each channel, or with `transposed` A_yᵀ I A_x. The product over rows takes all channels at once; the
 * one over columns does so where the columns come first, which one channel needs no transposing for.
 */
export function filtered(image: tf.Tensor4D, { y, x }: GaussianFilters, transposed = false): tf.Tensor4D {
  const [B, H, W, C] = image.shape;
  const [h, w] = transposed ? [y.shape[2], x.shape[2]] : [y.shape[1], x.shape[1]];
  const rows = tf.matMul(y, tf.reshape(image, [B, H, W * C]), transposed);
  if (C === 1) {
    return tf.reshape(tf.matMul(tf.reshape(rows, [B, h, W]), x, false, !transposed), [B, h, w, 1]);
  }
  const columns = tf.reshape(tf.transpose(tf.reshape(rows, [B, h, W, C]), [0, 2, 1, 3]), [B, W, h * C]);
  const out = tf.reshape(tf.matMul(x, columns, transposed), [B, w, h, C]);
  return tf.transpose(out, [0, 2, 1, 3]) as tf.Tensor4D;
}
