import type { HeedKernel } from "../register.ts";

/** The grid [B, h, w, 2] of affine maps [B, 2, 3] (assembly/glimpse.ts). */
export const affineGrid: HeedKernel = ({ inputs: { theta }, attrs, heap }) => {
  const B = theta.shape[0]!;
  const { h, w, alignCorners } = attrs as { h: number; w: number; alignCorners: boolean };
  const out = heap.output("affineGrid", [B, h, w, 2]);
  heap.kernels.affineGrid(heap.address(theta), heap.address(out), B, h, w, Number(alignCorners));
  return out;
};

/** The gradient of the maps. */
export const affineGridGrad: HeedKernel = ({ inputs: { dgrid }, attrs, heap }) => {
  const [B, h, w] = dgrid.shape as [number, number, number];
  const dtheta = heap.output("affineGrid gradient", [B, 2, 3]);
  const corners = Number(attrs.alignCorners);
  heap.kernels.affineGridGrad(heap.address(dgrid), heap.address(dtheta), B, h, w, corners);
  return dtheta;
};
