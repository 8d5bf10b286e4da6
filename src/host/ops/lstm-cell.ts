import type { HeedKernel } from "../register.ts";

/** One step of an LSTM: h' and c' (assembly/recurrent.ts). */
export const lstmCell: HeedKernel = ({ inputs: { a, c, h, mask }, heap }) => {
  const [B, H] = h.shape;
  const outs = [heap.output("lstmCell", h.shape), heap.output("lstmCell", h.shape)];
  const addresses = [a, c, h, mask, ...outs].map((tensor) => heap.address(tensor));
  heap.kernels.lstmCell(...addresses, B, H);
  return outs;
};

/** Its gradient: da, dc, dh. */
export const lstmCellGrad: HeedKernel = ({ inputs: { a, c, mask, dhOut, dcOut }, heap }) => {
  const [B, H] = c.shape;
  const grads = [a.shape, c.shape, c.shape].map((shape) => heap.output("lstmCell gradient", shape));
  const addresses = [a, c, mask, dhOut, dcOut, ...grads].map((tensor) => heap.address(tensor));
  heap.kernels.lstmCellGrad(...addresses, B, H);
  return grads;
};
