import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { notAChoice } from "../../core/faults.ts";
import { affinePoints } from "../../ops/affine-grid.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkPerExample, checkSize, type ImageSize } from "./glimpse.ts";

/** An affine map without rotation or shear: x' = scaleX·x + shiftX, y' = scaleY·y + shiftY; all [B]. */
export interface AffineParameters {
  /** @default 1 */
  scaleX?: tf.Tensor1D;
  /** @default 0 */
  shiftX?: tf.Tensor1D;
  /** @default 1 */
  scaleY?: tf.Tensor1D;
  /** @default 0 */
  shiftY?: tf.Tensor1D;
}

/** θ [B, 2, 3], row 0 for x and row 1 for y, or the named numbers of a constrained one. */
export type Affine = tf.Tensor3D | AffineParameters;

export interface AffineGridOptions {
  /** What −1 and 1 mean: the centres of the outermost pixels (true) or their outer edges (false). No default. */
  alignCorners: boolean;
}

/**
 * The grid generator of a spatial transformer: where each pixel of the glimpse is to be read.
 *
 *     (x, y)ᵀ = θ (x_t, y_t, 1)ᵀ,    θ = [θ₁₁ θ₁₂ θ₁₃; θ₂₁ θ₂₂ θ₂₃]
 *     alignCorners      x_t[j] = 2j/(w − 1) − 1
 *     otherwise         x_t[j] = (2j + 1)/w − 1
 *
 * Symbols: (x_t, y_t) a pixel of the glimpse, (x, y) its place in the image, both from −1 to 1. Shapes: θ [B, 2, 3] →
 * grid [B, h, w, 2], x before y.
 * Conventions: named numbers instead of θ leave the others at the identity: `{ scaleX, shiftX, scaleY, shiftY }` crops
 * and zooms, `{ shiftX, shiftY }` only moves. (Sonnet takes them as one vector, x first.) A glimpse of one row or
 * column reads the middle. Equal to PyTorch's affine_grid for both conventions. Differentiable in θ.
 * Cost: O(B·h·w). Paper: Jaderberg et al. 2015, §3.2, eq. 1 and 2, arxiv.org/abs/1506.02025.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const grid = affineGrid(tf.tensor3d([[[0.8, -0.4, 0.1], [0.3, 0.8, 0]]]), [12, 12], { alignCorners: true });
 * return tf.transpose(tf.squeeze(grid, [0]), [2, 0, 1]); // x, then y
 * @example
 * const half = tf.tensor1d([0.5]);
 * const grid = affineGrid({ scaleX: half, scaleY: half, shiftY: half }, [1, 2], { alignCorners: true });
 * grid; // [[[[-0.5, 0.5], [0.5, 0.5]]]]
 */
export function affineGrid(theta: Affine, size: ImageSize, options: AffineGridOptions): tf.Tensor4D {
  const op = "affineGrid";
  checkAffine(op, theta, affineBatch(op, theta));
  checkSize(op, "size [h, w]", size);
  checkCorners(op, options);
  return tidy(() => gridOf(theta, size, options));
}

/** `affineGrid`, checked elsewhere. */
export function gridOf(theta: Affine, size: ImageSize, { alignCorners }: AffineGridOptions): tf.Tensor4D {
  return affinePoints(thetaOf(theta), size, alignCorners);
}

/** θ [B, 2, 3], whichever way it is given. */
export const thetaOf = (theta: Affine): tf.Tensor3D => (theta instanceof tf.Tensor ? theta : matrixOf(theta));

/** θ of named numbers, the others at the identity. */
function matrixOf(given: AffineParameters): tf.Tensor3D {
  const B = Object.values(given).find((number) => number !== undefined)!.shape[0]!;
  const nothing = tf.zeros([B]);
  const scale = (number: tf.Tensor1D | undefined) => number ?? tf.ones([B]);
  const { shiftX = nothing, shiftY = nothing } = given;
  const rows = [scale(given.scaleX), nothing, shiftX, nothing, scale(given.scaleY), shiftY];
  return tf.reshape(tf.stack(rows, 1), [B, 2, 3]);
}

/** B of θ; throws where nothing says it. */
function affineBatch(op: string, theta: Affine): number {
  if (theta instanceof tf.Tensor) {
    checkRank(op, "theta [B, 2, 3]", theta, 3);
    return theta.shape[0];
  }
  const given = Object.values(theta ?? {}).find((tensor) => tensor !== undefined);
  if (given instanceof tf.Tensor) return given.shape[0] ?? 0;
  const choices = ["[B, 2, 3]", "an object with scaleX, shiftX, scaleY or shiftY [B]"];
  throw new OptionError("OPTION", notAChoice({ op, name: "theta", choices, got: JSON.stringify(theta) }));
}

/** Throws unless θ is [B, 2, 3], or every number given instead is [B]. */
export function checkAffine(op: string, theta: Affine, B: number): void {
  affineBatch(op, theta);
  if (theta instanceof tf.Tensor) {
    checkTensors(op, [{ name: "theta", tensor: theta, letters: "[B, 2, 3]", shape: [B, 2, 3] }]);
    return;
  }
  const { scaleX, shiftX, scaleY, shiftY } = theta;
  const given = Object.entries({ scaleX, shiftX, scaleY, shiftY }).filter(
    ([, tensor]) => tensor !== undefined,
  );
  checkPerExample(op, B, Object.fromEntries(given) as Record<string, tf.Tensor1D>);
}

/** Throws unless alignCorners is given. */
export function checkCorners(op: string, options: AffineGridOptions): void {
  const got = (options as AffineGridOptions | undefined)?.alignCorners;
  if (typeof got === "boolean") return;
  throw new OptionError("OPTION", notAChoice({ op, name: "alignCorners", choices: ["true", "false"], got }));
}
