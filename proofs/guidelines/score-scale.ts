import type * as tf from "@tensorflow/tfjs-core";
import { softAttention } from "../../src/attention/sequence/soft-attention.ts";
import { RandomStream } from "../../src/core/random.ts";
import { normalizedEntropy } from "../../src/inspect/index.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { meanOf } from "../statistics.ts";
import { normal } from "../variables.ts";

const [QUERIES, KEYS] = [200, 64];

/**
 * Mean entropy of soft attention's weights over 64 keys, as a share of ln 64, for unit-normal q and k of width D: 1
 * when every key gets the same weight, 0 when one gets all. What attention looks like before it has learnt anything.
 * Without a scale it is heed's default.
 */
export function entropyAtStart(D: number, scale?: number): number {
  const random = new RandomStream(1, D);
  return tidyData(() => {
    const q = normal<tf.Tensor4D>(random, [1, 1, QUERIES, D]);
    const k = normal<tf.Tensor4D>(random, [1, 1, KEYS, D]);
    const options = { weights: true, ...(scale === undefined ? {} : { scale }) } as const;
    const weights = softAttention(q, k, k, options).weights.dataSync();
    const rows = Array.from({ length: QUERIES }, (_, t) => weights.subarray(t * KEYS, (t + 1) * KEYS));
    return meanOf(rows.map((row) => normalizedEntropy(row)));
  });
}
