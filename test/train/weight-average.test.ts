import "../../src/host/backend.ts";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { WeightAverage } from "../../src/train/weight-average.ts";

beforeAll(() => tf.setBackend("heed"));

function one(decay: number) {
  const w = tf.variable(tf.tensor1d([1, -2]));
  const average = new WeightAverage({ w }, decay);
  onTestFinished(() => {
    average.dispose();
    w.dispose();
  });
  const set = (...values: number[]) => tf.tidy(() => w.assign(tf.tensor1d(values)));
  const read = () => Array.from(average.weights().w!.data as Float32Array);
  return { w, average, set, read };
}

test("the mean forgets its first steps fast and follows at its decay from then on", () => {
  const { average, set, read } = one(0.5);
  expect(read()).toEqual([1, -2]);
  average.update(0);
  expect(read()).toEqual([1, -2]);
  set(3, 0);
  // d = 2/11 at step 1.
  average.update(1);
  expect(read()[0]).toBeCloseTo((2 / 11) * 1 + (9 / 11) * 3, 6);
  expect(read()[1]).toBeCloseTo((2 / 11) * -2, 6);
  const before = read()[0]!;
  average.update(1000);
  expect(read()[0]).toBeCloseTo(0.5 * before + 0.5 * 3, 6);
});

test("a run that is saved and put back goes on with the same mean", async () => {
  const { average, set, read } = one(0.9);
  const steps = [[1, 2], [3, 5], [8, 13]]; // biome-ignore format: numbers
  const run = {
    steps: 3,
    step: (k: number) => {
      set(...steps[k]!);
      return { loss: 0, tokens: 1 };
    },
    snapshot: () => ({ tensors: {}, state: { mine: 1 } }),
    restore: () => undefined,
  };
  const averaged = average.of(run);
  await averaged.step(0);
  await averaged.step(1);
  const saved = await averaged.snapshot();
  expect(saved.state).toEqual({ mine: 1 });
  await averaged.step(2);
  const straight = read();
  const tensors = tf.memory().numTensors;
  await averaged.restore(saved);
  await averaged.step(2);
  expect(read()).toEqual(straight);
  expect(tf.memory().numTensors).toBe(tensors);
  expect(await averaged.weights!()).toEqual(average.weights());
});

test("a decay outside [0, 1) is refused", () => {
  for (const decay of [-0.1, 1, Number.NaN]) expect(() => new WeightAverage({}, decay)).toThrow(OptionError);
  expect(() => new WeightAverage({}, 1)).toThrow(
    "WeightAverage: decay must be from 0 to below 1, got 1; pass another value",
  );
});
