import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../../core/random.ts";

/** Queries, keys and values [1, H, n, D]. */
export interface Inputs {
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  v: tf.Tensor4D;
}

/** Normal numbers that a seed chooses. */
export function normal(seed: number, shape: number[]): tf.Tensor {
  const count = shape.reduce((n, m) => n * m, 1);
  return tf.tensor(new RandomStream(seed).fillNormal(new Float32Array(count)), shape);
}

/** Queries, keys and values of n positions. */
export function drawInputs(n: number, H: number, D: number): Inputs {
  const [q, k, v] = [1, 2, 3].map((seed) => normal(seed, [1, H, n, D])) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  return { q, k, v };
}

/** The slope of the straight line through (log x, log y) with the least squares. */
export function logSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (at: 0 | 1) => logs.reduce((sum, point) => sum + point[at], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return covariance / logs.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** Milliseconds of one call, and of one with the gradients of its inputs. */
export interface Times {
  forward: number;
  gradients: number;
}

/** Milliseconds: of this process's processor time where that is known, for other programs only add to what passes. */
function clock(): number {
  const usage = globalThis.process?.cpuUsage?.();
  return usage ? (usage.user + usage.system) / 1000 : performance.now();
}

/** One call, timed; its result is read, so that it is done. */
export function time(call: (x: Inputs) => tf.Tensor, { q, k, v }: Inputs, withGradients: boolean): number {
  const start = clock();
  tf.tidy(() => {
    if (!withGradients) return void call({ q, k, v }).dataSync();
    const gradients = tf.grads((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => call({ q, k, v } as Inputs));
    for (const gradient of gradients([q, k, v])) gradient.dataSync();
  });
  return clock() - start;
}
