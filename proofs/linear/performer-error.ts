import * as tf from "@tensorflow/tfjs-core";
import { orthogonalRandomFeatures, performerAttention } from "../../src/attention/linear/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { attention } from "../../src/ops/attention.ts";
import type { Metrics } from "../claim.ts";
import { logSlope } from "../statistics.ts";
import { normal } from "../variables.ts";

const [n, D, DRAWS] = [128, 16, 16];
/** Size of queries and keys: then scores deviate by 1, and a weight's variance is finite in practice too. */
const SIZE = 0.5;
const FEATURES = [32, 64, 128, 256, 512, 1024];

/** The error of Performer against softmax attention for growing numbers of features, and its slope in log m. */
export async function performerError(onProgress: (share: number) => void): Promise<Metrics> {
  await useHeedBackend();
  const metrics: Metrics = {};
  const points = FEATURES.map((m, at) => {
    const error = tf.tidy(() => {
      const draw = (seed: number, size: number) =>
        normal<tf.Tensor4D>(new RandomStream(seed), [1, 2, n, D], size);
      const [q, k, v] = [draw(1, SIZE), draw(2, SIZE), draw(3, 1)];
      const exact = attention(q, k, v).output;
      const size = tf.mean(tf.square(exact)).dataSync()[0]!;
      let sum = 0;
      for (let seed = 0; seed < DRAWS; seed++) {
        const w = orthogonalRandomFeatures(m, D, { seed });
        const { output } = performerAttention(q, k, v, { w });
        sum += tf.mean(tf.squaredDifference(output, exact)).dataSync()[0]!;
      }
      return Math.sqrt(sum / DRAWS / size);
    });
    metrics[`error${m}`] = error;
    onProgress((at + 1) / FEATURES.length);
    return [m, error] as const;
  });
  return { slope: logSlope(points), ...metrics };
}
