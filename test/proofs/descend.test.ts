import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { descend, prepare } from "../../proofs/descend.ts";

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
