import type { HeedKernel } from "../register.ts";

/** Crops [B, h, w, C] of images [B, H, W, C] from (y, x) [B] on, 0 outside (assembly/glimpse.ts). */
export const crop: HeedKernel = ({ inputs: { image, y, x }, attrs, heap }) => {
  const [B, H, W, C] = image.shape as [number, number, number, number];
  const { h, w } = attrs as { h: number; w: number };
  const out = heap.output("crop", [B, h, w, C]);
  const addresses = [image, y, x, out].map((tensor) => heap.address(tensor));
  heap.kernels.crop(...addresses, B, H, W, C, h, w);
  return out;
};

/** The gradient of the images, of H × W pixels. */
export const cropGrad: HeedKernel = ({ inputs: { y, x, dy }, attrs, heap }) => {
  const [B, h, w, C] = dy.shape as [number, number, number, number];
  const { H, W } = attrs as { H: number; W: number };
  const dimage = heap.output("crop gradient", [B, H, W, C]);
  const addresses = [dy, y, x, dimage].map((tensor) => heap.address(tensor));
  heap.kernels.cropGrad(...addresses, B, H, W, C, h, w);
  return dimage;
};
