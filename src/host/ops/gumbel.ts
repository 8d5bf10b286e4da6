import { util } from "@tensorflow/tfjs-core";
import { words } from "../../core/random.ts";
import type { HeedKernel } from "../register.ts";

/** Scores with Gumbel noise by position (assembly/gumbel.ts). */
export const gumbel: HeedKernel = ({ inputs: { x }, attrs, heap }) => {
  const { seed, stream } = attrs as Record<string, number>;
  const out = heap.output("gumbel", x.shape);
  const [xAt, outAt] = [heap.address(x), heap.address(out)];
  heap.kernels.gumbel(xAt, outAt, util.sizeFromShape(x.shape), ...words(seed), ...words(stream));
  return out;
};
