import {
  type GradConfig,
  matMul,
  reshape,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor2d,
  tidy,
  transpose,
} from "@tensorflow/tfjs-core";
import { ensureGradient, isFused, noSecondOrder, runKernel } from "./registry.ts";

const KERNEL = "HeedAffineGrid";

const gradient: GradConfig = {
  kernelName: KERNEL,
  gradFunc: (dgrid, _, attrs) => ({
    theta: () => runKernel(`${KERNEL}Grad`, { dgrid: dgrid as Tensor }, attrs),
  }),
};

/** The coordinates of n pixels from −1 to 1. */
function coordinates(n: number, alignCorners: boolean): number[] {
  return Array.from({ length: n }, (_, i) => {
    if (!alignCorners) return (2 * i + 1) / n - 1;
    return n === 1 ? 0 : (2 * i) / (n - 1) - 1;
  });
}

function composed(theta: Tensor3D, [h, w]: readonly [number, number], alignCorners: boolean): Tensor4D {
  const [columns, rows] = [coordinates(w, alignCorners), coordinates(h, alignCorners)];
  // [h·w, 3] beside θ as [2B, 3], so that one product serves the batch.
  const target = rows.flatMap((y) => columns.flatMap((x) => [x, y, 1]));
  const points = matMul(reshape(theta, [-1, 3]), tensor2d(target, [h * w, 3]), false, true);
  return transpose(reshape(points, [-1, 2, h, w]), [0, 2, 3, 1]) as Tensor4D;
}

/**
 * Affine maps θ [B, 2, 3] of the pixels of a glimpse [h, w], whose coordinates run from −1 to 1: [B, h, w, 2], x before
 * y; checked by the caller. Differentiable in θ. One kernel on `heed`.
 */
export function affinePoints(
  theta: Tensor3D,
  size: readonly [number, number],
  alignCorners: boolean,
): Tensor4D {
  return tidy(() => {
    if (!isFused(KERNEL)) return composed(theta, size, alignCorners);
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, "affineGrid");
    return runKernel(KERNEL, { theta }, { h: size[0], w: size[1], alignCorners }) as Tensor4D;
  });
}
