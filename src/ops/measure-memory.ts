import { profile, type TensorContainer, memory as tensorMemory } from "@tensorflow/tfjs-core";
import { highWater } from "../kernels/wasm/high-water.ts";

export interface MeasuredMemory<R> {
  readonly result: R;
  /**
   * The most bytes that tensors held together beyond those that were there before, by TensorFlow.js' own count, in which a
   * clone or a reshaped tensor counts once more, though it shares its bytes.
   */
  readonly tensorBytes: number;
  /** The most that one of heed's kernels took besides its tensors, by the count of what hands it out. */
  readonly scratchBytes: number;
  /** The two together: what the call took at its peak, its inputs not counted. */
  readonly peakBytes: number;
}

/**
 * Runs a call and says how many bytes it took at its peak, on whatever backend. Peaks of tensors and of scratch are added, so
 * a call of several kernels may have stayed below; of one kernel, such as `attention` on `heed` without a mask, it is exact.
 *
 * @example
 * const { peakBytes, result } = await measureMemory(() => attention(q, k, v).output);
 */
export async function measureMemory<R extends TensorContainer>(run: () => R): Promise<MeasuredMemory<R>> {
  const before = tensorMemory().numBytes;
  const outer = highWater.bytes;
  highWater.bytes = 0;
  let result!: R;
  try {
    const { peakBytes } = await profile(() => {
      result = run();
      return result;
    });
    // Without a kernel there was no peak.
    const tensorBytes = Math.max(0, peakBytes - before);
    const scratchBytes = highWater.bytes;
    return { result, tensorBytes, scratchBytes, peakBytes: tensorBytes + scratchBytes };
  } finally {
    highWater.bytes = Math.max(outer, highWater.bytes);
  }
}
