import { util } from "@tensorflow/tfjs-core";
import { words } from "../../core/random.ts";
import type { HeedKernel } from "../register.ts";

/** Inverted dropout by position (assembly/dropout.ts). */
export const dropout: HeedKernel = ({ inputs: { x }, attrs, heap }) => {
  const { rate, seed, stream } = attrs as Record<string, number>;
  const out = heap.output("dropout", x.shape);
  // k · 2⁻²⁴ ≥ rate for whole k is k ≥ ⌈rate · 2²⁴⌉.
  const least = Math.ceil(rate * 2 ** 24);
  const size = util.sizeFromShape(x.shape);
  const [xAt, outAt] = [heap.address(x), heap.address(out)];
  heap.kernels.dropout(xAt, outAt, size, least, 1 / (1 - rate), ...words(seed), ...words(stream));
  return out;
};
