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
