/** Batches as recurrent models read them, step by step, and dropout on the way. */
import * as tf from "@tensorflow/tfjs-core";
import type { PaddedBatch } from "../../data/batching.ts";
import { dropout } from "../../ops/dropout.ts";

/** Rows to columns, so that one time step is one contiguous slice. */
export function timeMajor({ ids, rows, width }: PaddedBatch): Int32Array {
  const out = new Int32Array(ids.length);
  for (let b = 0; b < rows; b++) for (let t = 0; t < width; t++) out[t * rows + b] = ids[b * width + t];
  return out;
}

/** [S, B]: 1 where a source has a piece, 0 on padding. */
export function stepMask({ lengths, rows, width }: PaddedBatch): tf.Tensor2D {
  const mask = new Float32Array(rows * width);
  for (let b = 0; b < rows; b++) for (let t = 0; t < lengths[b]; t++) mask[t * rows + b] = 1;
  return tf.tensor2d(mask, [width, rows]);
}

/** Dropout with a stream of its own at each place; the identity without a seed. */
export function dropper(rate: number, seed: number | undefined): <T extends tf.Tensor>(x: T) => T {
  if (seed === undefined || rate === 0) return (x) => x;
  let stream = 0;
  return (x) => dropout(x, rate, { seed, stream: stream++ });
}
