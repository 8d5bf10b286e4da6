import { util } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

/** Normalised rows, and the statistics [N, 4] that the gradient needs (assembly/layer-norm.ts). */
export const layerNorm: HeedKernel = ({ inputs: { x, gamma, beta }, attrs, heap }) => {
  const [N, C] = rowsOf(x.shape);
  const outs = [heap.output("layerNorm", x.shape), heap.output("layerNorm", [N, 4])];
  const addresses = [x, gamma, beta, ...outs].map((tensor) => heap.address(tensor));
  heap.kernels.layerNorm(...addresses, N, C, attrs.epsilon as number);
  return outs;
};

/** Its gradients: dx, dgamma, dbeta. */
export const layerNormGrad: HeedKernel = ({ inputs: { x, gamma, stats, dy }, heap }) => {
  const [N, C] = rowsOf(x.shape);
  const grads = [x.shape, [C], [C]].map((shape) => heap.output("layerNorm gradient", shape));
  const addresses = [x, gamma, stats, dy, ...grads].map((tensor) => heap.address(tensor));
  heap.kernels.layerNormGrad(...addresses, N, C);
  return grads;
};

/** A tensor as N rows of C elements. */
export function rowsOf(shape: number[]): [N: number, C: number] {
  return [util.sizeFromShape(shape.slice(0, -1)), shape.at(-1)!];
}
