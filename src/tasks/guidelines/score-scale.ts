import { RandomStream } from "../../core/random.ts";

const KEYS = 64;
const QUERIES = 200;

/**
 * Mean entropy of softmax(scale · q·k) over 64 keys, as a share of ln 64, for unit-normal q and k of width D: 1 when
 * every key gets the same weight, 0 when one gets all. What attention looks like before it has learnt anything.
 */
export function entropyAtStart(D: number, scale: number, seed = 1): number {
  const stream = new RandomStream(seed, D);
  const q = new Float64Array(D);
  const k = stream.fillNormal(new Float64Array(KEYS * D));
  const scores = new Float64Array(KEYS);
  let total = 0;
  for (let t = 0; t < QUERIES; t++) {
    stream.fillNormal(q);
    for (let s = 0; s < KEYS; s++) {
      scores[s] = 0;
      for (let d = 0; d < D; d++) scores[s]! += scale * q[d]! * k[s * D + d]!;
    }
    const max = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - max));
    const sum = weights.reduce((a, b) => a + b, 0);
    for (const weight of weights) {
      if (weight > 0) total -= (weight / sum) * Math.log(weight / sum);
    }
  }
  return total / QUERIES / Math.log(KEYS);
}
