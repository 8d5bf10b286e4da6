import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../../src/core/random.ts";

/** Zeros and ones, a share of them ones. */
export function spikes<T extends tf.Tensor>(seed: number, shape: number[], share = 0.4): T {
  const stream = new RandomStream(seed, 7);
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return tf.tensor(
    values.map(() => (stream.uniform() < share ? 1 : 0)),
    shape,
  ) as T;
}
