import { util } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

/** GELU, exact or by tanh (assembly/gelu.ts). */
export const gelu: HeedKernel = ({ inputs: { x }, attrs, heap }) => {
  const out = heap.output("gelu", x.shape);
  const kernel = attrs.approximate ? heap.kernels.geluTanh : heap.kernels.gelu;
  kernel(heap.address(x), heap.address(out), util.sizeFromShape(x.shape));
  return out;
};

/** Its gradient. */
export const geluGrad: HeedKernel = ({ inputs: { x, dy }, attrs, heap }) => {
  const dx = heap.output("gelu gradient", x.shape);
  const kernel = attrs.approximate ? heap.kernels.geluTanhGrad : heap.kernels.geluGrad;
  kernel(heap.address(x), heap.address(dy), heap.address(dx), util.sizeFromShape(x.shape));
  return dx;
};
