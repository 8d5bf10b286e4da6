import type { HeedKernel } from "../register.ts";

/** One step of a GRU (assembly/recurrent.ts). */
export const gruCell: HeedKernel = ({ inputs: { x, u, h, mask }, heap }) => {
  const [B, H] = h.shape;
  const out = heap.output("gruCell", h.shape);
  const addresses = [x, u, h, mask, out].map((tensor) => heap.address(tensor));
  heap.kernels.gruCell(...addresses, B, H);
  return out;
};

/** Its gradient: dx, du, dh. */
export const gruCellGrad: HeedKernel = ({ inputs: { x, u, h, mask, dout }, heap }) => {
  const [B, H] = h.shape;
  const grads = [x.shape, u.shape, h.shape].map((shape) => heap.output("gruCell gradient", shape));
  const addresses = [x, u, h, mask, dout, ...grads].map((tensor) => heap.address(tensor));
  heap.kernels.gruCellGrad(...addresses, B, H);
  return grads;
};
