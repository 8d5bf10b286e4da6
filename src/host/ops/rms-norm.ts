import type { HeedKernel } from "../register.ts";
import { rowsOf } from "./layer-norm.ts";

/** Normalised rows, and the statistics [N, 2] that the gradient needs (assembly/rms-norm.ts). */
export const rmsNorm: HeedKernel = ({ inputs: { x, gamma }, attrs, heap }) => {
  const [N, C] = rowsOf(x.shape);
  const outs = [heap.output("rmsNorm", x.shape), heap.output("rmsNorm", [N, 2])];
  const addresses = [x, gamma, ...outs].map((tensor) => heap.address(tensor));
  heap.kernels.rmsNorm(...addresses, N, C, attrs.epsilon as number);
  return outs;
};

/** Its gradients: dx, dgamma. */
export const rmsNormGrad: HeedKernel = ({ inputs: { x, gamma, stats, dy }, heap }) => {
  const [N, C] = rowsOf(x.shape);
  const grads = [x.shape, [C]].map((shape) => heap.output("rmsNorm gradient", shape));
  const addresses = [x, gamma, stats, dy, ...grads].map((tensor) => heap.address(tensor));
  heap.kernels.rmsNormGrad(...addresses, N, C);
  return grads;
};
