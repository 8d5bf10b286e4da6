import type * as tf from "@tensorflow/tfjs-core";
import { type GridSampleOptions, gridSample } from "../../ops/grid-sample.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { type Affine, checkAffine, checkCorners, gridOf, thetaOf } from "./affine-grid.ts";
import { checkGlimpse, type GlimpseResult, type ImageSize } from "./glimpse.ts";
import { notifyAffine } from "./notify.ts";

export interface SpatialTransformerOptions extends GridSampleOptions {
  /** Return the grid [B, h, w, 2]. @default false */
  grid?: boolean;
}

export type SpatialTransformerResult<O> = GlimpseResult & Asked<O, "grid", tf.Tensor4D>;

/**
 * Spatial transformer: an affine window on an image, moved, zoomed, turned or sheared, read by interpolation.
 *
 *     g = gridSample(I, affineGrid(θ))
 *
 * Symbols: I the image, g the glimpse, θ the affine map from places in the glimpse to places in the image. Shapes:
 * image [B, H, W, C], θ [B, 2, 3] or { scaleX, shiftX, scaleY, shiftY } [B] → output [B, h, w, C], grid [B, h, w, 2].
 * Conventions: four numbers crop. With alignCorners, scaleX = (w − 1)/(W − 1) and shiftX = (2x + w − 1)/(W − 1) − 1
 * are the hard crop whose first column is x (`windowAffine` computes them). Each pixel of the glimpse reads four of the
 * image, so the cost is small and the gradient looks one pixel far: it finds the way only from nearby, where
 * `gaussianGlimpse` finds it from afar. Zooming out by more than 2 skips pixels. Differentiable in the image and θ.
 * Cost: O(B·h·w·C), whatever the image's size. Paper: Jaderberg et al. 2015, §3, arxiv.org/abs/1506.02025.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const board = tf.tensor4d([...Array(256).keys()].map((n) => ((n >> 2) + (n >> 6)) % 2), [1, 16, 16, 1]);
 * const theta = tf.tensor3d([[[1, 0, 0], [0, 1, 0]], [[0.5, 0, 0.25], [0, 0.5, 0]], [[0.7, -0.5, 0], [0.5, 0.7, 0]], [[1, 0.5, 0], [0, 1, 0]]]);
 * return spatialTransformer(tf.tile(board, [4, 1, 1, 1]), theta, [16, 16], { alignCorners: false }).output;
 * @example
 * const image = tf.tensor4d([...Array(25).keys()], [1, 5, 5, 1]);
 * const [quarter, half, nothing] = [0.25, 0.5, 0].map((n) => tf.tensor1d([n]));
 * const theta = { scaleX: quarter, shiftX: quarter, scaleY: half, shiftY: nothing };
 * const { output } = spatialTransformer(image, theta, [3, 2], { alignCorners: true });
 * tf.squeeze(output); // [[7, 8], [12, 13], [17, 18]]
 */
export function spatialTransformer<const O extends SpatialTransformerOptions>(
  image: tf.Tensor4D,
  theta: Affine,
  size: ImageSize,
  options: O,
): SpatialTransformerResult<O> {
  const op = "spatialTransformer";
  checkGlimpse(op, image, size);
  checkAffine(op, theta, image.shape[0]);
  checkCorners(op, options);
  return tidyAsked((): SpatialTransformerResult<SpatialTransformerOptions> => {
    const matrix = thetaOf(theta);
    notifyAffine(op, image, matrix, size, options.alignCorners);
    const grid = gridOf(matrix, size, options);
    const output = gridSample(image, grid, options);
    return { output, ...(options.grid && { grid }) };
  });
}
