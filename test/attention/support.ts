import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { HostArray } from "../../src/core/notation.ts";
import { RandomStream } from "../../src/core/random.ts";
import { useBuild } from "../support/kernel-build.ts";

/** The same tests on TensorFlow.js' plain backend and on ours. */
export function onEveryBackend(name: string, tests: () => void): void {
  describe.each(["cpu", "heed"])(`${name} on the %s backend`, (backend) => {
    beforeAll(async () => {
      expect(await tf.setBackend(backend)).toBe(true);
    });
    tests();
  });
}

/** The same tests once more on ours with the kernels that engines without relaxed SIMD get. */
export function onPlainKernels(name: string, tests: () => void): void {
  describe(`${name} on the heed backend, plain kernels`, () => {
    beforeAll(() => useBuild("plain"));
    afterAll(() => useBuild(undefined));
    tests();
  });
}

/** Normal numbers that are exact in float32. */
export function random(seed: number, shape: readonly number[]): HostArray & { values: Float64Array } {
  const values = new RandomStream(seed).fillNormal(new Float64Array(shape.reduce((n, m) => n * m, 1)));
  return { shape, dtype: "float32", values: values.map(Math.fround) };
}

/** A bool array, `true` with probability `share`. */
export function randomAllow(seed: number, shape: readonly number[], share: number): HostArray {
  const { values } = random(seed, shape);
  const stream = new RandomStream(seed, 1);
  return { shape, dtype: "bool", values: Uint8Array.from(values, () => (stream.uniform() < share ? 1 : 0)) };
}

export function tensor<T extends tf.Tensor = tf.Tensor>({ shape, dtype, values }: HostArray): T {
  const data = dtype === "bool" ? Uint8Array.from(values) : Float32Array.from(values);
  return tf.tensor(data, [...shape], dtype as "bool" | "float32") as T;
}

/** The largest |a − b|; NaN and infinities must stand at the same places. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let e = 0; e < a.length; e++) {
    if (Object.is(a[e], b[e]) || a[e] === b[e]) continue;
    const d = Math.abs(a[e]! - b[e]!);
    if (Number.isNaN(d)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, d);
  }
  return worst;
}

/** Half of float32's spacing at 1. */
export const ROUNDING = 2 ** -24;

/** A call throws an error of that class and message, and leaves no tensor behind. */
export function expectRefusal(
  call: () => unknown,
  type: new (...args: never[]) => Error,
  message: string,
): void {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    expect(call).toThrow(type);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
  expect(tf.memory().numTensors).toBe(before);
}
