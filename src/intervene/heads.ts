/** Calls come in several layouts; interventions know one: heads first, and an axis of one where there is one head. */
import { expandDims, reshape, type Tensor } from "@tensorflow/tfjs-core";
import type { Layout } from "../kernels/layout.ts";
import { swapped } from "../ops/attention/run.ts";

/** [B, H, T, D] of a layout or of one head. */
export const headsFirst = (x: Tensor, layout: Layout): Tensor =>
  x.rank === 3 ? expandDims(x, 1) : swapped(x, layout);

/** Back to the layout of a tensor of the call, and to its rank where it has one head. */
export const asBefore = (x: Tensor, layout: Layout, { rank, shape }: Tensor): Tensor =>
  rank === 3 ? reshape(x, [shape[0]!, x.shape[2]!, x.shape[3]!]) : swapped(x, layout);
