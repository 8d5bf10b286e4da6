import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { BACKEND } from "../../src/host/backend.ts";

interface Result {
  shape: number[];
  dtype: tf.DataType;
  values: number[];
}

type Compute = () => tf.Tensor | tf.Tensor[];

async function on(backend: string, compute: Compute): Promise<Result[]> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const results = tf.tidy(() =>
    [compute()].flat().map((t) => ({ shape: t.shape, dtype: t.dtype, values: [...t.dataSync()] })),
  );
  expect(tf.memory().numTensors, `tensors left behind on ${backend}`).toBe(before);
  return results;
}

/** A float32 has 24 bits. */
const EPSILON = 2 ** -23;

/**
 * Computes on `cpu` and on `heed` and compares shapes, dtypes and values, NaN and ±Infinity included. `terms` is
 * the length of the longest sum: rounding of n terms of size about 1 stays below n · ε · √n at most. `relative` n
 * allows each element n · ε of itself instead.
 */
export async function expectLikeCpu(
  compute: Compute,
  terms: number | { relative: number } = 1,
): Promise<void> {
  const expected = await on("cpu", compute);
  const heapTensors = () => (tf.findBackend(BACKEND) as unknown as { numDataIds(): number }).numDataIds();
  await tf.setBackend(BACKEND);
  const before = heapTensors();
  const got = await on(BACKEND, compute);
  expect(heapTensors(), "entries left on the heap").toBe(before);
  expect(got.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  got.forEach(({ values }, i) => {
    const wanted = expected[i]!.values;
    expect(values.length).toBe(wanted.length);
    const scale = wanted.filter(Number.isFinite).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    values.forEach((value, j) => {
      const want = wanted[j]!;
      const tolerance =
        EPSILON * (typeof terms === "number" ? terms * scale : terms.relative * Math.abs(want));
      const same = Object.is(value, want) || value === want || Math.abs(value - want) <= tolerance;
      if (!same) expect.fail(`element ${j} is ${value}, cpu has ${want} (tolerance ${tolerance})`);
    });
  });
}

/** Normal numbers, the same on every backend. */
export function normal(shape: number[], seed = 1): tf.Tensor {
  return tf.randomNormal(shape, 0, 1, "float32", seed);
}
