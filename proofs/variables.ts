import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../src/core/random.ts";

/** Normal numbers of a standard deviation, the same for the same seed. */
export function normal<T extends tf.Tensor>(random: RandomStream, shape: number[], deviation = 1): T {
  const values = random.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)));
  return tf.tensor(
    values.map((value) => value * deviation),
    shape,
  ) as T;
}

/** A variable of normal numbers, by default of variance one over the rows: a layer keeps the size of what it maps. */
export function weight<T extends tf.Tensor>(
  random: RandomStream,
  shape: number[],
  deviation = 1 / Math.sqrt(shape[0]!),
): tf.Variable & T {
  return tf.tidy(() => tf.variable(normal(random, shape, deviation))) as unknown as tf.Variable & T;
}

/** A variable that holds one number everywhere. */
export function constant<T extends tf.Tensor>(shape: number[], value = 0): tf.Variable & T {
  return tf.tidy(() => tf.variable(tf.fill(shape, value))) as unknown as tf.Variable & T;
}

/** How many numbers are trained. */
export function count(variables: Record<string, tf.Variable>): number {
  return Object.values(variables).reduce((sum, { size }) => sum + size, 0);
}
