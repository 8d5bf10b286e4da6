import type { HeedKernel } from "../register.ts";

/** One step of a GRU (assembly/recurrent.ts). */
export const gruCell: HeedKernel = ({ inputs: { x, u, h, mask }, heap }) => {
  const [B, H] = h.shape;
  const out = heap.output("gruCell", h.shape);
  const [xAt, uAt, hAt, outAt] = [x, u, h, out].map((tensor) => heap.address(tensor));
  heap.kernels.gruCell(xAt, uAt, hAt, mask ? heap.address(mask) : 0, outAt, B, H);
  return out;
};

/** Its gradient: dx, du, dh. */
export const gruCellGrad: HeedKernel = ({ inputs: { x, u, h, mask, dout }, heap }) => {
  const [B, H] = h.shape;
  const grads = [x.shape, u.shape, h.shape].map((shape) => heap.output("gruCell gradient", shape));
  const [xAt, uAt, hAt, doutAt] = [x, u, h, dout].map((tensor) => heap.address(tensor));
  const [dx, du, dh] = grads.map((tensor) => heap.address(tensor));
  heap.kernels.gruCellGrad(xAt, uAt, hAt, mask ? heap.address(mask) : 0, doutAt, dx, du, dh, B, H);
  return grads;
};
