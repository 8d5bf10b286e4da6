import type { HeedKernel } from "../register.ts";

/** A cache without rows: nothing is written. */
export const reserveRows: HeedKernel = ({ inputs: { like }, attrs, heap }) => {
  const [B, , ...row] = like!.shape as [number, number, ...number[]];
  return heap.output("reserveRows", [B, attrs.capacity as number, ...row]);
};
