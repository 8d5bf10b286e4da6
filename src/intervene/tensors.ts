/**
 * Tensors of calls. They come in several layouts; interventions know one: heads first, and an axis of one where there is one
 * head.
 */
import { clone, customGrad, expandDims, reshape, type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import type { Layout } from "../kernels/layout.ts";
import { swapped } from "../ops/attention/run.ts";

/** [B, H, T, D] of a layout or of one head. */
export const headsFirst = (x: Tensor, layout: Layout): Tensor =>
  x.rank === 3 ? expandDims(x, 1) : swapped(x, layout);

/** Back to the layout of a tensor of the call, and to its rank where it has one head. */
export const asBefore = (x: Tensor, layout: Layout, { rank, shape }: Tensor): Tensor =>
  rank === 3 ? reshape(x, [shape[0]!, x.shape[2]!, x.shape[3]!]) : swapped(x, layout);

/** What `make` makes, as a constant: nothing of it is on the tape. */
export function untaped(make: () => Tensor): Tensor {
  return customGrad(() => ({ value: clone(make()), gradFunc: () => [] }))();
}

/** x, whose gradient is 0: unlike a tensor off the tape it is one that gradients can be asked of. */
export function stopped(x: Tensor): Tensor {
  const stop = customGrad((given) => ({
    value: clone(given as Tensor),
    gradFunc: (dy: Tensor) => zerosLike(dy),
  }));
  return stop(x);
}
