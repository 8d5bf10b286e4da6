import { type Tensor4D, zeros } from "@tensorflow/tfjs-core";
import { isFused, runKernel } from "./registry.ts";

const KERNEL = "HeedReserveRows";

/**
 * Room for the rows of a cache, to be filled by `appendRows`. Where the backend has the kernel it is memory as it comes, which
 * costs nothing until it is used, and holds any numbers; elsewhere it is 0.
 *
 * Shapes: like [B, T, H, D] → [B, capacity, H, D].
 *
 * @example
 * reserveRows(tf.ones([1, 1, 1, 2]), 3).shape; // [1, 3, 1, 2]
 */
export function reserveRows(like: Tensor4D, capacity: number): Tensor4D {
  const [B, , H, D] = like.shape;
  if (isFused(KERNEL)) return runKernel(KERNEL, { like }, { capacity }) as Tensor4D;
  return zeros([B, capacity, H, D]);
}
