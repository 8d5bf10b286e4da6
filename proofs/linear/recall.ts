import * as tf from "@tensorflow/tfjs-core";
import { lshAttention } from "../../src/attention/sparse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import type { Metrics } from "../claim.ts";

/** Groups of positions whose vectors are alike, as they are for tokens of one topic. */
const [GROUPS, MEMBERS, D] = [32, 24, 32];
const T = GROUPS * MEMBERS;
const TOP = 16;
/** Of a member's own part to its group's; the cosine of two members is 1/(1 + 0.5²) = 0.8. */
const OWN = 0.5;

/**
 * Which share of the 16 keys of the largest score a query reads, `recall<rounds>`, and of all keys, `read<rounds>`. A
 * key is read where its value reaches the output: values are the unit vectors.
 */
export async function lshRecall(
  rounds: readonly number[],
  onProgress: (share: number) => void,
): Promise<Metrics> {
  await useHeedBackend();
  const vectors = groupedVectors();
  const best = bestKeys(vectors);
  const metrics: Metrics = {};
  for (const [at, n] of rounds.entries()) {
    const seen = tf.tidy(() => {
      const qk = tf.tensor4d(vectors, [1, 1, T, D]);
      const values = tf.reshape(tf.eye(T), [1, 1, T, T]) as tf.Tensor4D;
      return lshAttention(qk, values, { buckets: 32, rounds: n, seed: 1 }).output.dataSync();
    });
    const hits = best.reduce((sum, keys, i) => sum + keys.filter((j) => seen[i * T + j]! > 0).length, 0);
    metrics[`recall${n}`] = hits / (T * TOP);
    metrics[`read${n}`] = Array.from(seen).filter((weight) => weight > 0).length / (T * T);
    onProgress((at + 1) / rounds.length);
  }
  return metrics;
}

function groupedVectors(): Float32Array {
  const random = new RandomStream(1);
  const groups = random.fillNormal(new Float32Array(GROUPS * D));
  const order = random.shuffle(Array.from({ length: T }, (_, t) => t % GROUPS));
  const own = random.fillNormal(new Float32Array(T * D));
  return own.map((value, e) => OWN * value + groups[order[Math.floor(e / D)]! * D + (e % D)]!);
}

/** The keys of the largest scores of every query, itself left out. */
function bestKeys(x: Float32Array): number[][] {
  const row = (t: number) => x.subarray(t * D, (t + 1) * D);
  const lengths = Array.from({ length: T }, (_, t) => Math.hypot(...row(t)));
  return Array.from({ length: T }, (_, i) => {
    const scores = Array.from({ length: T }, (_, j) => {
      const product = row(i).reduce((sum, value, d) => sum + value * x[j * D + d]!, 0);
      return i === j ? -Infinity : product / lengths[j]!;
    });
    return scores
      .map((_, j) => j)
      .sort((a, b) => scores[b]! - scores[a]!)
      .slice(0, TOP);
  });
}
