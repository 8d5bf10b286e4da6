import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { type Asked, tidy, tidyAsked } from "../../ops/tidy.ts";
import { filtered, type GaussianFilters, gaussianFilters } from "./gaussian-glimpse.ts";
import type { GaussianParameters } from "./gaussian-mask.ts";
import { checkGlimpse, checkPerExample, checkSize, type GlimpseResult, type ImageSize } from "./glimpse.ts";
import { notifyGaussian } from "./notify.ts";

/** The five numbers of DRAW for each example, all [B]; any real number is legal. */
export interface DrawParameters {
  /** g̃_X: the patch's centre, −1 and 1 just beyond the image's edges. */
  gX: tf.Tensor1D;
  /** g̃_Y */
  gY: tf.Tensor1D;
  /** log σ², in pixels squared. */
  logVariance: tf.Tensor1D;
  /** log δ̃: the stride; at 0 the patch spans the image's longer side. */
  logStride: tf.Tensor1D;
  /** log γ: the intensity. */
  logIntensity: tf.Tensor1D;
}

export interface DrawOptions {
  /** Return F_Y and F_X. @default false */
  filters?: boolean;
}

export type DrawResult<O> = GlimpseResult & Asked<O, "filters", GaussianFilters>;

/**
 * Names the five numbers of a vector, in the paper's order: (g̃_X, g̃_Y, log σ², log δ̃, log γ).
 *
 * Shapes: vector [B, 5] → five of [B].
 *
 * @throws ShapeError RANK, SHAPE
 * @example
 * const { gX, logIntensity } = drawParameters(tf.tensor2d([[0.1, 0.2, 0.3, 0.4, 0.5]]));
 * gX; // [0.1]
 */
export function drawParameters(vector: tf.Tensor2D): DrawParameters {
  const op = "drawParameters";
  checkRank(op, "vector [B, 5]", vector, 2);
  checkTensors(op, [{ name: "vector", tensor: vector, letters: "[B, 5]", shape: [vector.shape[0], 5] }]);
  return tidy(() => {
    const [gX, gY, logVariance, logStride, logIntensity] = tf.unstack(vector, 1) as tf.Tensor1D[];
    return { gX, gY, logVariance, logStride, logIntensity };
  });
}

/**
 * DRAW's grid of Gaussians as centre, stride and deviation of each axis.
 *
 *     g_X = (A + 1)/2 · (g̃_X + 1)    g_Y = (B + 1)/2 · (g̃_Y + 1)    δ = (max(A, B) − 1)/(N − 1) · δ̃
 *     μ_X^i = g_X + (i − N/2 − 0.5)·δ,    i = 1 … N
 *
 * Symbols: A the image's width W, B its height H, N the patch's side. Shapes: five of [B] → u, d, s [B] of each axis.
 * Conventions: the paper counts pixels from 1, so the first centre is u = g − (N − 1)/2 · δ − 1 in pixels from 0, as
 * in `gaussianMask`; code that leaves the 1 out looks one pixel too far. A patch of h × w has N = max(h, w) in δ, the
 * same stride along both axes.
 * Cost: O(B). Paper: Gregor et al. 2015, §3.2, eq. 19 to 24, arxiv.org/abs/1502.04623.
 *
 * @throws ShapeError SHAPE · OptionError OPTION for a patch of one pixel, which has no stride
 * @example
 * const { y, x } = drawGaussians(drawParameters(tf.zeros([1, 5])), [3, 3], [5, 5]);
 * x.u; // [0]
 */
export function drawGaussians(
  parameters: DrawParameters,
  size: ImageSize,
  imageSize: ImageSize,
): GaussianParameters {
  const op = "drawGaussians";
  checkRank(op, "gX [B]", parameters.gX, 1);
  checkDraw(op, parameters.gX.shape[0], parameters, size, imageSize);
  return tidy(() => gaussiansOf(parameters, size, imageSize));
}

/**
 * DRAW's reading: a patch of an image through a grid of Gaussians.
 *
 *     read(x) = γ · F_Y x F_Xᵀ
 *
 * Symbols: x the image, F_Y and F_X the masks of `gaussianMask` at the places of `drawGaussians`, γ the intensity.
 * Shapes: image [B, H, W, C], five of [B] → output [B, h, w, C], filters y [B, h, H], x [B, w, W].
 * Conventions: all five are free numbers, as a linear layer gives them. The paper reads the image and the error image:
 * pass both as channels. At zeros the grid spans the image's longer side. Differentiable in everything.
 * Cost: as `gaussianGlimpse`. Paper: Gregor et al. 2015, §3.2, eq. 19 to 27, arxiv.org/abs/1502.04623.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const vector = tf.tensor2d([[-0.1, 0, 0.3, -0.35, 0], [0.35, 0.3, -1, -1.4, 0]]);
 * const { filters } = drawRead(tf.zeros([2, 24, 24, 1]), drawParameters(vector), [8, 8], { filters: true });
 * const map = tf.matMul(tf.reshape(tf.sum(filters.y, 1), [2, 24, 1]), tf.reshape(tf.sum(filters.x, 1), [2, 1, 24]));
 * return tf.div(map, tf.max(map, [1, 2], true));
 * @example
 * const state = tf.randomNormal([2, 5], 0, 0.1); // a linear layer's output
 * const patch = drawRead(tf.ones([2, 9, 11, 3]), drawParameters(state), [4, 4]).output;
 * patch.shape; // [2, 4, 4, 3]
 */
export function drawRead<const O extends DrawOptions>(
  image: tf.Tensor4D,
  parameters: DrawParameters,
  size: ImageSize,
  options: O = {} as O,
): DrawResult<O> {
  const op = "drawRead";
  checkGlimpse(op, image, size);
  const [B, H, W] = image.shape;
  checkDraw(op, B, parameters, size, [H, W]);
  return tidyAsked((): DrawResult<DrawOptions> => {
    const gaussians = gaussiansOf(parameters, size, [H, W]);
    notifyGaussian(op, image, gaussians, size);
    const filters = gaussianFilters(gaussians, size, [H, W]);
    const intensity = tf.reshape(tf.exp(parameters.logIntensity), [B, 1, 1, 1]);
    const output = tf.mul(intensity, filtered(image, filters)) as tf.Tensor4D;
    return { output, ...(options.filters && { filters }) };
  });
}

/**
 * DRAW's writing: a patch onto a canvas, through the same grid the other way round.
 *
 *     write(w) = 1/γ · F_Yᵀ w F_X
 *
 * Symbols: w the patch, F_Y and F_X as in `drawRead`, γ the intensity. Shapes: patch [B, h, w, C], five of [B] and the
 * canvas' size [H, W] → output [B, H, W, C].
 * Conventions: with γ = 1 it is the transpose of `drawRead` with the same parameters: ⟨read(x), w⟩ = ⟨x, write(w)⟩. The
 * caller adds what is written to the canvas. Differentiable in everything.
 * Cost: O(B·C·H·w·(h + W)). Paper: Gregor et al. 2015, §3.2, eq. 28 and 29, arxiv.org/abs/1502.04623.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const vector = tf.tensor2d([[-0.3, -0.3, -2, -0.9, 0], [0.3, 0.2, 1, -0.7, 0]]);
 * const stripes = tf.tensor4d([...Array(128).keys()].map((n) => (n >> 3) % 2), [2, 8, 8, 1]);
 * return drawWrite(stripes, drawParameters(vector), [24, 24]).output;
 * @example
 * const canvas = drawWrite(tf.ones([2, 4, 4, 1]), drawParameters(tf.zeros([2, 5])), [9, 11]).output;
 * canvas.shape; // [2, 9, 11, 1]
 */
export function drawWrite<const O extends DrawOptions>(
  patch: tf.Tensor4D,
  parameters: DrawParameters,
  size: ImageSize,
  options: O = {} as O,
): DrawResult<O> {
  const op = "drawWrite";
  checkRank(op, "patch [B, h, w, C]", patch, 4);
  checkTensors(op, [{ name: "patch", tensor: patch, letters: "[B, h, w, C]", shape: patch.shape }]);
  const [B, h, w] = patch.shape;
  checkDraw(op, B, parameters, [h, w], size);
  return tidyAsked((): DrawResult<DrawOptions> => {
    const filters = gaussianFilters(gaussiansOf(parameters, [h, w], size), [h, w], size);
    const intensity = tf.reshape(tf.exp(tf.neg(parameters.logIntensity)), [B, 1, 1, 1]);
    const output = tf.mul(intensity, filtered(patch, filters, true)) as tf.Tensor4D;
    return { output, ...(options.filters && { filters }) };
  });
}

function gaussiansOf(
  { gX, gY, logVariance, logStride }: DrawParameters,
  [h, w]: ImageSize,
  [H, W]: ImageSize,
): GaussianParameters {
  const s = tf.exp(tf.mul(logVariance, 0.5)) as tf.Tensor1D;
  const d = tf.mul(tf.exp(logStride), (Math.max(H, W) - 1) / (Math.max(h, w) - 1)) as tf.Tensor1D;
  const first = (g: tf.Tensor1D, pixels: number, N: number) =>
    tf.sub(tf.sub(tf.mul(tf.add(g, 1), (pixels + 1) / 2), 1), tf.mul(d, (N - 1) / 2)) as tf.Tensor1D;
  return { y: { u: first(gY, H, h), d, s }, x: { u: first(gX, W, w), d, s } };
}

function checkDraw(
  op: string,
  B: number,
  parameters: DrawParameters,
  patch: ImageSize,
  image: ImageSize,
): void {
  checkSize(op, "the patch's size [h, w]", patch);
  checkSize(op, "the image's size [H, W]", image);
  const { gX, gY, logVariance, logStride, logIntensity } = parameters;
  checkPerExample(op, B, { gX, gY, logVariance, logStride, logIntensity });
  const N = Math.max(...patch);
  if (N >= 2) return;
  throw new OptionError("OPTION", outOfRange({ op, name: "N = max(h, w)", rule: "2 or more", got: N }));
}
