import { util } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

/** x·σ(x) (assembly/silu.ts). */
export const silu: HeedKernel = ({ inputs: { x }, heap }) => {
  const out = heap.output("silu", x.shape);
  heap.kernels.silu(heap.address(x), heap.address(out), util.sizeFromShape(x.shape));
  return out;
};

/** Its gradient. */
export const siluGrad: HeedKernel = ({ inputs: { x, dy }, heap }) => {
  const dx = heap.output("silu gradient", x.shape);
  heap.kernels.siluGrad(heap.address(x), heap.address(dy), heap.address(dx), util.sizeFromShape(x.shape));
  return dx;
};

/** gate·σ(gate)·x. */
export const gatedSilu: HeedKernel = ({ inputs: { gate, x }, heap }) => {
  const out = heap.output("gatedSilu", x.shape);
  const addresses = [gate, x, out].map((tensor) => heap.address(tensor));
  heap.kernels.gatedSilu(...addresses, util.sizeFromShape(x.shape));
  return out;
};

/** Its gradients: dgate, dx. */
export const gatedSiluGrad: HeedKernel = ({ inputs: { gate, x, dy }, heap }) => {
  const grads = [gate, x].map(({ shape }) => heap.output("gatedSilu gradient", shape));
  const addresses = [gate, x, dy, ...grads].map((tensor) => heap.address(tensor));
  heap.kernels.gatedSiluGrad(...addresses, util.sizeFromShape(x.shape));
  return grads;
};
