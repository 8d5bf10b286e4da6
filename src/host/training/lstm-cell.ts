import type { HeedKernel } from "../register.ts";

/** One step of an LSTM: h' and c' (assembly/recurrent.ts). */
export const lstmCell: HeedKernel = ({ inputs: { a, c, h, mask }, heap }) => {
  const [B, H] = h.shape;
  const outs = [heap.output("lstmCell", h.shape), heap.output("lstmCell", h.shape)];
  const [aAt, cAt, hAt, hOut, cOut] = [a, c, h, ...outs].map((tensor) => heap.address(tensor));
  heap.kernels.lstmCell(aAt, cAt, hAt, mask ? heap.address(mask) : 0, hOut, cOut, B, H);
  return outs;
};

/** Its gradient: da, dc, dh. */
export const lstmCellGrad: HeedKernel = ({ inputs: { a, c, mask, dhOut, dcOut }, heap }) => {
  const [B, H] = c.shape;
  const grads = [a.shape, c.shape, c.shape].map((shape) => heap.output("lstmCell gradient", shape));
  const [aAt, cAt, dhAt, dcAt] = [a, c, dhOut, dcOut].map((tensor) => heap.address(tensor));
  const [da, dc, dh] = grads.map((tensor) => heap.address(tensor));
  heap.kernels.lstmCellGrad(aAt, cAt, mask ? heap.address(mask) : 0, dhAt, dcAt, da, dc, dh, B, H);
  return grads;
};
