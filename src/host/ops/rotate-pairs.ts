import type { HeedKernel } from "../register.ts";

/** Rotation of pairs of channels by a table of angles (assembly/rotate.ts). */
export const rotatePairs: HeedKernel = ({ inputs: { x, cos, sin }, attrs, heap }) => {
  const { pairs, layout, back } = attrs as { pairs: string; layout: string; back: boolean };
  const [B, first, second, D] = x.shape as [number, number, number, number];
  const [T, half] = cos.shape as [number, number];
  // Heads are more examples where they come before positions, and share an angle where they come after them.
  const [N, M] = layout === "bthd" ? [B, second] : [B * first, 1];
  const out = heap.output("rotatePairs", x.shape);
  const addresses = [x, cos, sin, out].map((tensor) => heap.address(tensor));
  heap.kernels.rotatePairs(
    ...addresses,
    ...[N, T, M, D, half],
    Number(pairs === "interleaved"),
    Number(back),
  );
  return out;
};
