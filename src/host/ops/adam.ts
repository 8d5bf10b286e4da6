import { util } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

/** One step of Adam on one variable: its new value and moments (assembly/adam.ts). */
export const adam: HeedKernel = ({ inputs: { p, g, m, v }, attrs, heap }) => {
  const outs = [p, p, p].map(({ shape }) => heap.output("adam", shape));
  const addresses = [p, g, m, v, ...outs].map((tensor) => heap.address(tensor));
  const { scale, decay, beta1, beta2, step, root, epsilon } = attrs as Record<string, number>;
  const size = util.sizeFromShape(p.shape);
  const numbers = [scale, decay, beta1, 1 - beta1, beta2, 1 - beta2, step, root, epsilon];
  heap.kernels.adam(...addresses, size, ...numbers);
  return outs;
};

/** Σ x² as a scalar, added in float64. */
export const sumOfSquares: HeedKernel = ({ inputs: { x }, heap }) => {
  const out = heap.output("sumOfSquares", []);
  const total = heap.kernels.sumOfSquares(heap.address(x), util.sizeFromShape(x.shape));
  heap.view(out)[0] = total;
  return out;
};
