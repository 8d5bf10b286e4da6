import type { Tensor2D } from "@tensorflow/tfjs-core";

/**
 * The positions of each example that a mask [B, T] leaves, for mechanisms whose positions are one after the other. The
 * mask is read from the device; one that hides others than the last is refused by `refuse`, which names the first.
 */
export function validLengths(mask: Tensor2D, refuse: (b: number, t: number) => never): number[] {
  const [B, T] = mask.shape;
  const kept = mask.dataSync();
  return Array.from({ length: B }, (_, b) => {
    const row = kept.subarray(b * T, (b + 1) * T);
    const length = row.lastIndexOf(1) + 1;
    const hidden = row.indexOf(0);
    if (hidden >= 0 && hidden < length) refuse(b, hidden);
    return length;
  });
}
