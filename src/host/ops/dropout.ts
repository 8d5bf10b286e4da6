import { util } from "@tensorflow/tfjs-core";
import { words } from "../../core/random.ts";
import type { HeedKernel } from "../register.ts";

/** Inverted dropout by position, and one bit an element, 1 for those that stay (assembly/dropout.ts). */
export const dropout: HeedKernel = ({ inputs: { x }, attrs, heap }) => {
  const { rate, seed, stream } = attrs as Record<string, number>;
  const size = util.sizeFromShape(x.shape);
  const outs = [heap.output("dropout", x.shape), heap.output("dropout", [Math.ceil(size / 32)], "int32")];
  // k · 2⁻²⁴ ≥ rate for whole k is k ≥ ⌈rate · 2²⁴⌉.
  const least = Math.ceil(rate * 2 ** 24);
  const addresses = [x, ...outs].map((tensor) => heap.address(tensor));
  heap.kernels.dropout(...addresses, size, least, 1 / (1 - rate), ...words(seed), ...words(stream));
  return outs;
};

/** Its gradient: the same elements of dy stay. */
export const dropoutGrad: HeedKernel = ({ inputs: { dy, kept }, attrs, heap }) => {
  const dx = heap.output("dropout gradient", dy.shape);
  const addresses = [dy, kept, dx].map((tensor) => heap.address(tensor));
  heap.kernels.dropoutGrad(...addresses, util.sizeFromShape(dy.shape), 1 / (1 - (attrs.rate as number)));
  return dx;
};
