import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { descend, descendUntilSettled, errorOfShare, prepare } from "../../proofs/descend.ts";

it.each([1, 12])(
  "descend over %d steps says what one costs, and leaves its variables alone in memory",
  async (steps) => {
    await prepare();
    const variables = { w: tf.variable(tf.fill([3, 5], 2)), b: tf.variable(tf.zeros([5])) };
    const before = tf.memory().numTensors;
    const loss = () => tf.sum<tf.Scalar>(tf.square(tf.add(variables.w, variables.b)));
    const losses: number[] = [];
    const cost = await descend(variables, loss, {
      steps,
      learningRate: 0.1,
      onStep: (_, value) => losses.push(value),
    });
    expect(cost.parameters).toBe(20);
    expect(cost.stepSeconds).toBeGreaterThan(0);
    expect(cost.kernelShare).toBeGreaterThan(0);
    expect(cost.kernelShare).toBeLessThan(1);
    // The steps that are profiled are steps like the others.
    expect(losses).toHaveLength(steps);
    expect(losses[0]).toBe(60);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(variables);
  },
);

it("descend ends where the score no longer gets better, with the values that were best", async () => {
  await prepare();
  const w = tf.tidy(() => tf.variable(tf.tensor1d([4])));
  const before = tf.memory().numTensors;
  // Best where w is 2, which a step of 0.1 passes.
  const seen: number[] = [];
  const score = () => {
    seen.push(w.dataSync()[0]!);
    return -Math.abs(seen.at(-1)! - 2);
  };
  const shares: number[] = [];
  const loss = () => tf.sum<tf.Scalar>(tf.square(w));
  await descend({ w }, loss, {
    ...{ steps: 1000, learningRate: () => 0.1, until: { score, every: 3, patience: 2 } },
    onProgress: (share) => shares.push(share),
  });
  const best = seen.toSorted((a, b) => Math.abs(a - 2) - Math.abs(b - 2))[0]!;
  expect(seen.indexOf(best)).toBe(seen.length - 3);
  expect(w.dataSync()[0]).toBe(best);
  expect(shares).toHaveLength(3 * seen.length);
  expect(shares.at(-1)).toBe(1);
  expect(tf.memory().numTensors).toBe(before);
  w.dispose();
});

it("a step that waits for the machine costs no more: seconds are those of the processor", async () => {
  await prepare();
  const w = tf.tidy(() => tf.variable(tf.ones([2])));
  const WAIT_MS = 100;
  const loss = () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    return tf.sum<tf.Scalar>(tf.square(w));
  };
  const { stepSeconds } = await descend({ w }, loss, { steps: 8, learningRate: 0.1 });
  expect(stepSeconds).toBeLessThan(WAIT_MS / 2000);
  w.dispose();
});

/** Trains one number, whose score is what `scores` says of the readings so far. */
async function settle(scores: (reading: number) => number, error: number, steps = 1000) {
  await prepare();
  const w = tf.tidy(() => tf.variable(tf.tensor1d([4])));
  const before = tf.memory().numTensors;
  const [seen, shares, told]: number[][] = [[], [], []];
  const score = () => {
    seen!.push(w.dataSync()[0]!);
    return scores(seen!.length);
  };
  const loss = (step: number) => {
    told!.push(step);
    return tf.sum<tf.Scalar>(tf.square(w));
  };
  const went = await descendUntilSettled({ w }, loss, {
    ...{ steps, learningRate: 0.01, until: { score, every: 2, error: () => error } },
    onProgress: (share) => shares!.push(share),
  });
  expect(tf.memory().numTensors).toBe(before);
  expect(told).toEqual(Array.from({ length: went.steps }, (_, step) => step));
  expect(shares).toEqual(shares!.toSorted((a, b) => a - b));
  expect(shares!.at(-1)).toBe(1);
  const value = w.dataSync()[0]!;
  w.dispose();
  return { ...went, readings: seen!, value };
}

it("descendUntilSettled ends where the last third brought no more than the error, then lets the rate fall", async () => {
  // Better by 1 in each of 12 readings, then by a hundredth, which is less than the error: six more are a third of 18.
  const { steps, settled, readings } = await settle((n) => Math.min(n, 12) + n / 100, 0.5);
  expect({ steps, settled }).toEqual({ steps: 36 + 18, settled: true });
  // Half as many steps at a rate that falls: the last ones change less than those before.
  const moved = readings.slice(1).map((w, n) => Math.abs(w - readings[n]!));
  expect(moved.at(-1)!).toBeLessThan(moved[18]! / 2);
});

it("descendUntilSettled goes on where small gains add up to more than the error, until it may take no more", async () => {
  expect(await settle((n) => n / 30, 0.05, 100)).toMatchObject({ steps: 150, settled: false });
});

it.each([
  ["at one rate", 3, 2],
  ["while the rate falls", 6, 5],
])("descendUntilSettled ends with the values of the best score: %s", async (_, best, at) => {
  // Four readings at one rate, one at the best of them, two while the rate falls.
  const { readings, value, settled } = await settle((n) => (n === best ? 2 : 1), 1);
  expect({ settled, readings: readings.length }).toEqual({ settled: true, readings: 7 });
  expect(value).toBe(readings[at]);
});

it("the standard error of a share is that of as many draws", () => {
  expect(errorOfShare(400)(0.5)).toBeCloseTo(0.025, 12);
  expect(errorOfShare(400)(1)).toBe(0);
});
