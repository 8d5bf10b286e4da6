import {
  add,
  equal,
  type GradConfig,
  gather,
  logicalAnd,
  maximum,
  minimum,
  mul,
  range,
  reshape,
  scalar,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tidy,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { ensureGradient, isFused, noSecondOrder, runKernel } from "./registry.ts";

const KERNEL = "HeedCrop";

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["image", "y", "x"],
  gradFunc: (given, saved) => {
    const [image, y, x] = saved as [Tensor, Tensor, Tensor];
    const [, H, W] = image.shape;
    return {
      image: () => runKernel(`${KERNEL}Grad`, { y, x, dy: given as Tensor }, { H: H!, W: W! }),
      y: () => zerosLike(y),
      x: () => zerosLike(x),
    };
  },
};

/** The lines that a crop of n of N asks for, [B, n], held within 0 … N − 1, and which of them are there. */
function lines(start: Tensor1D, n: number, N: number) {
  const asked = add(reshape(start, [-1, 1]), range(0, n, 1, "int32"));
  const index = minimum(maximum(asked, scalar(0, "int32")), scalar(N - 1, "int32"));
  return { index, inside: equal(index, asked) };
}

function composed(image: Tensor4D, y: Tensor1D, x: Tensor1D, [h, w]: readonly [number, number]): Tensor4D {
  const [B, H, W, C] = image.shape;
  const [rows, columns] = [lines(y, h, H), lines(x, w, W)];
  const first = reshape(mul(range(0, B, 1, "int32"), scalar(H, "int32")), [B, 1]);
  const starts = reshape(mul(add(first, rows.index), scalar(W, "int32")), [B, h, 1]);
  const index = add(starts, reshape(columns.index, [B, 1, w])) as Tensor1D;
  const found = gather(reshape(image, [B * H * W, C]) as Tensor, index);
  const inside = logicalAnd(reshape(rows.inside, [B, h, 1, 1]), reshape(columns.inside, [B, 1, w, 1]));
  return where(inside, found, scalar(0)) as Tensor4D;
}

/**
 * Crops of images, each from a place of its own, 0 outside of the image; checked by the caller.
 *
 *     out[b, i, j] = image[b, y_b + i, x_b + j]
 *
 * Shapes: image [B, H, W, C], y and x [B] int32, size [h, w] → [B, h, w, C]. Differentiable in the image. One kernel
 * that copies rows on `heed`.
 */
export function crop(image: Tensor4D, y: Tensor1D, x: Tensor1D, size: readonly [number, number]): Tensor4D {
  return tidy(() => {
    if (!isFused(KERNEL)) return composed(image, y, x, size);
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, "hardCrop");
    return runKernel(KERNEL, { image, y, x }, { h: size[0], w: size[1] }) as Tensor4D;
  });
}
