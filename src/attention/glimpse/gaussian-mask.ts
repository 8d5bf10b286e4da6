import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../ops/attention/guard.ts";
import { checkRank } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkPerExample, checkSize, type ImageSize } from "./glimpse.ts";

/** Gaussians along one axis of an image, in pixels whose centres lie at integers; one set for each example. */
export interface GaussianAxis {
  /** μ [B]: the centre of the first Gaussian. */
  u: tf.Tensor1D;
  /** d [B]: the distance from one centre to the next. */
  d: tf.Tensor1D;
  /** σ [B], above 0: the standard deviation of all of them. */
  s: tf.Tensor1D;
}

export interface GaussianParameters {
  y: GaussianAxis;
  x: GaussianAxis;
}

/**
 * Gaussian mask: rows of equally spaced Gaussians over the pixels of one axis, each a distribution.
 *
 *     A[r, c] = softmax_c(−½ ((c − μ_r)/σ)²),    μ_r = u + r·d
 *
 * Symbols: r counts Gaussians, c pixels; u the first centre, d the stride, σ = s the standard deviation, in pixels.
 * Shapes: u, d, s [B] → [B, R, C]; R Gaussians over C pixels, C being a height or a width here.
 * Conventions: pixel centres lie at integers 0 … C − 1. Every row sums to 1, normalised in log space: a Gaussian whose
 * centre is off the image is still a distribution, the mass on the nearest edge, with a gradient that can bring it
 * back: however far off it is, the gradient counts each pixel's weight as 2⁻²⁴, a rounding of 1, at least. (Dividing by
 * a sum plus 10⁻⁸ makes such a row black and its gradient 0.) σ must be above 0: predict its logarithm. Differentiable
 * in u, d, s.
 * Cost: O(B·R·C). Paper: Gregor et al. 2015, §3.2, eq. 25 and 26, arxiv.org/abs/1502.04623; in the form of Kosiorek
 * 2017, "Attention in Neural Networks and How to Use It".
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const axis = { u: tf.tensor1d([4]), d: tf.tensor1d([1.75]), s: tf.tensor1d([1.2]) };
 * return gaussianMask(axis, 10, 24);
 * @example
 * const axis = { u: tf.tensor1d([1]), d: tf.tensor1d([2]), s: tf.tensor1d([0.01]) };
 * gaussianMask(axis, 2, 4); // [[[0, 1, 0, 0], [0, 0, 0, 1]]]
 */
export function gaussianMask(axis: GaussianAxis, R: number, C: number): tf.Tensor3D {
  const op = "gaussianMask";
  checkSize(op, "[R, C]", [R, C]);
  checkRank(op, "u [B]", axis.u, 1);
  checkPerExample(op, axis.u.shape[0], { ...axis });
  return tidy(() => gaussians(axis, R, C));
}

/** `gaussianMask`, checked elsewhere. */
export function gaussians({ u, d, s }: GaussianAxis, R: number, C: number): tf.Tensor3D {
  const column = (t: tf.Tensor) => tf.reshape(t, [-1, 1]);
  const centres = tf.reshape(tf.add(column(u), tf.mul(column(d), tf.range(0, R))), [-1, R, 1]);
  const pixels = tf.range(0, C);
  const nearest = detached(tf.clipByValue(tf.round(centres), 0, C - 1));
  // ½ ((c − μ)² − (n − μ)²) = ½ (c − n)(c + n − 2μ), n the nearest pixel: no large squares that cancel.
  const further = tf.mul(tf.sub(pixels, nearest), tf.sub(tf.add(pixels, nearest), tf.mul(centres, 2)));
  const logits = tf.div(tf.mul(further, -0.5), tf.square(tf.reshape(s, [-1, 1, 1])));
  const isOff = tf.logicalOr(tf.less(centres, 0), tf.greater(centres, C - 1));
  return softmaxWithWayBack(logits, detached(isOff)) as tf.Tensor3D;
}

/** A rounding of 1 in float32: weights below it are lost beside the nearest pixel's. */
const ROUNDING = 2 ** -24;

/**
 * softmax whose gradient, in rows that are off the image, counts a weight as a rounding at least: far off, the weights
 * of all pixels but the nearest underflow, and the gradient that would bring the Gaussian back with them.
 */
function softmaxWithWayBack(logits: tf.Tensor, isOff: tf.Tensor): tf.Tensor {
  const weigh = tf.customGrad((x, save) => {
    const weights = tf.softmax(x as tf.Tensor);
    (save as tf.GradSaveFunc)([weights, isOff]);
    return {
      value: weights,
      gradFunc: (dweights: tf.Tensor, [p, off]: tf.Tensor[]) => {
        const least = tf.where(off!, tf.maximum(p!, ROUNDING), p!);
        const mean = tf.div(tf.sum(tf.mul(least, dweights), -1, true), tf.sum(least, -1, true));
        return tf.mul(least, tf.sub(dweights, mean));
      },
    };
  });
  return weigh(logits);
}

/** Throws unless all six parameters are [B]. */
export function checkGaussians(op: string, B: number, { y, x }: GaussianParameters): void {
  checkPerExample(op, B, { "y.u": y.u, "y.d": y.d, "y.s": y.s, "x.u": x.u, "x.d": x.d, "x.s": x.s });
}

export interface GaussianMask2d {
  /** a [B, H, W] */
  map: tf.Tensor3D;
  /** a_y [B, H] */
  y: tf.Tensor2D;
  /** a_x [B, W] */
  x: tf.Tensor2D;
}

/**
 * Gaussian attention mask: an image-sized mask that is the outer product of two masks of one axis each.
 *
 *     a = a_y a_xᵀ,    a_y[n] = Σ_r A_y[r, n],    a_x[m] = Σ_r A_x[r, m]
 *
 * Symbols: A_y, A_x as in `gaussianMask`, of h and w Gaussians; n, m pixels. Shapes: u, d, s [B] of each axis →
 * map [B, H, W], y [B, H], x [B, W].
 * Conventions: the mask is of rank 1, so six numbers describe it. With d = 1 and σ → 0 it is 1 in a window of h × w
 * pixels and 0 elsewhere; its sum is h·w always. Apply it by `maskAttention`, which computes the hidden part as well;
 * `gaussianGlimpse` keeps A_y and A_x apart and computes only the glimpse. Differentiable in all six.
 * Cost: O(B·(h·H + w·W + H·W)). Paper: Gregor et al. 2015, §3.2, arxiv.org/abs/1502.04623; in the form of Kosiorek
 * 2017, "Attention in Neural Networks and How to Use It".
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const axis = (u) => ({ u: tf.tensor1d([u]), d: tf.tensor1d([2]), s: tf.tensor1d([1.4]) });
 * return gaussianMask2d({ y: axis(5), x: axis(12) }, [3, 5], [20, 24]).map;
 * @example
 * const axis = (u) => ({ u: tf.tensor1d([u]), d: tf.tensor1d([1]), s: tf.tensor1d([0.01]) });
 * const { map, y, x } = gaussianMask2d({ y: axis(1), x: axis(0) }, [1, 2], [2, 3]);
 * map; // [[[0, 0, 0], [1, 1, 0]]]
 */
export function gaussianMask2d(
  parameters: GaussianParameters,
  size: ImageSize,
  imageSize: ImageSize,
): GaussianMask2d {
  const op = "gaussianMask2d";
  checkSize(op, "size [h, w]", size);
  checkSize(op, "imageSize [H, W]", imageSize);
  checkRank(op, "y.u [B]", parameters.y.u, 1);
  checkGaussians(op, parameters.y.u.shape[0], parameters);
  return tidy(() => {
    const [y, x] = (["y", "x"] as const).map((axis, n) =>
      tf.sum(gaussians(parameters[axis], size[n]!, imageSize[n]!), 1),
    ) as [tf.Tensor2D, tf.Tensor2D];
    const map = tf.mul(tf.expandDims(y, 2), tf.expandDims(x, 1)) as tf.Tensor3D;
    return { map, y, x };
  });
}
