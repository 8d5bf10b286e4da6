import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

/** Points of images [B, H, W, C] at a grid [B, h, w, 2] (assembly/glimpse.ts). */
export const gridSample: HeedKernel = ({ inputs: { image, grid }, attrs, heap }) => {
  const [B, h, w] = grid.shape as [number, number, number];
  const out = heap.output("gridSample", [B, h, w, image.shape[3]!]);
  const addresses = [image, grid, out].map((tensor) => heap.address(tensor));
  heap.kernels.gridSample(...addresses, ...sizes(grid, image.shape), ...numbers(attrs));
  return out;
};

/** The gradient of the images, whose shape [H, W] the attributes keep. */
export const gridSampleGradImage: HeedKernel = ({ inputs: { grid, dy }, attrs, heap }) => {
  const shape = attrs.shape as number[];
  const dimage = heap.output("gridSample gradient", shape);
  const addresses = [grid, dy, dimage].map((tensor) => heap.address(tensor));
  heap.kernels.gridSampleGradImage(...addresses, ...sizes(grid, shape), ...numbers(attrs));
  return dimage;
};

/** The gradient of the grid. */
export const gridSampleGradGrid: HeedKernel = ({ inputs: { image, grid, dy }, attrs, heap }) => {
  const dgrid = heap.output("gridSample gradient", grid.shape);
  const addresses = [image, grid, dy, dgrid].map((tensor) => heap.address(tensor));
  const [, padding, corners] = numbers(attrs);
  heap.kernels.gridSampleGradGrid(...addresses, ...sizes(grid, image.shape), padding!, corners!);
  return dgrid;
};

/** B, N, H, W, C of a call. */
function sizes({ shape: [B, h, w] }: TensorInfo, [, H, W, C]: number[]): number[] {
  return [B!, h! * w!, H!, W!, C!];
}

const PADDINGS = ["zeros", "border", "reflection"];

/** The options as the kernels take them. */
function numbers({ interpolation, padding, alignCorners }: Record<string, unknown>): number[] {
  return [Number(interpolation === "nearest"), PADDINGS.indexOf(padding as string), Number(alignCorners)];
}
