import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Adam, autocast, LossScale, namedGradients } from "../../src/train/index.ts";
import { useBuild } from "../support/kernel-build.ts";

const held = () => tf.memory().numTensors;

beforeAll(() => useBuild("relaxed"));

describe("LossScale", () => {
  it("halves at a gradient that is not finite and takes no step, doubles after so many good ones", () => {
    const scale = new LossScale({ initial: 8, every: 3 });
    const taken: number[] = [];
    const bad = { w: tf.tensor1d([1, Infinity]) };
    const nan = { v: tf.tensor1d([1]), w: tf.tensor1d([Number.NaN]) };
    const good = { w: tf.tensor1d([16, 4]) };
    const step = (grads: tf.NamedTensorMap) => {
      const before = held();
      const isTaken = scale.step(grads, ({ w }) => taken.push(w!.dataSync()[0]!));
      expect(held()).toBe(before);
      return [isTaken, scale.value];
    };
    expect([step(bad), step(nan)]).toEqual([
      [false, 4],
      [false, 2],
    ]);
    expect([step(good), step(good)]).toEqual([
      [true, 2],
      [true, 2],
    ]);
    // A bad one begins the count anew.
    expect([step(bad), step(good), step(good), step(good)].map(([, value]) => value)).toEqual([1, 1, 1, 2]);
    expect(taken).toEqual([8, 8, 16, 16, 16]);
    tf.dispose([bad, nan, good]);
  });

  it("says so when there is nothing left to halve", () => {
    const scale = new LossScale({ initial: 2 });
    const grads = { w: tf.tensor1d([Number.NaN]) };
    expect(scale.step(grads, () => {})).toBe(false);
    expect(() => scale.step(grads, () => {})).toThrow(
      'LossScale.step: gradients must be finite at the least scale, 1, got NaN or infinity in that of "w"; it is no ' +
        "overflow of the scaled loss: run the step in guardFinite, which names the operation",
    );
    tf.dispose(grads);
  });

  it("goes on from its state as if it had not stopped, and refuses another", () => {
    const good = { w: tf.tensor1d([1]) };
    const [a, b] = [new LossScale({ every: 4 }), new LossScale({ every: 4 })];
    for (let n = 0; n < 3; n++) a.step(good, () => {});
    b.restore(JSON.parse(JSON.stringify(a.state())));
    for (const one of [a, b]) one.step(good, () => {});
    expect([a.value, b.value]).toEqual([2 ** 17, 2 ** 17]);
    expect(() => b.restore({ scale: 3, good: 0 })).toThrow(
      "LossScale.restore: scale must be a power of two, and good a whole number below every = 4, got scale 3 and " +
        "good 0; pass what LossScale.state gave",
    );
    tf.dispose(good);
  });

  it("refuses factors that would round, and a least one above the first", () => {
    expect(() => new LossScale({ initial: 1000 })).toThrow(
      "LossScale: initial must be a power of two, at most 2⁹⁶, got 1000; pass another value",
    );
    expect(() => new LossScale({ initial: 2, least: 4 })).toThrow("least must be at most initial = 2, got 4");
    expect(() => new LossScale({ every: 0 })).toThrow("every must be a whole number from 1, got 0");
  });
});

/** Regression by two layers, with a loss whose gradients are `size` times as large as usual. */
function train(type: "float32" | "float16", size: number, scale?: LossScale) {
  const start = (shape: number[], seed: number) =>
    tf.variable(tf.randomNormal(shape, 0, 0.5, "float32", seed));
  const variables = tf.tidy(() => ({ a: start([5, 16], 1), b: start([16, 3], 2) }));
  const adam = new Adam({ learningRate: 0.02 });
  const [x, y] = tf.tidy(() => {
    const x = tf.randomNormal([32, 5], 0, 1, "float32", 3) as tf.Tensor2D;
    return [x, tf.tanh(tf.matMul(x, tf.randomNormal([5, 3], 0, 1, "float32", 4)))];
  });
  let [loss, taken, skipped] = [0, 0, 0];
  while (taken < 120) {
    const run = () => {
      const { loss: value, grads } = namedGradients(variables, () =>
        tf.tidy(() => {
          const inner = tf.tanh(tf.matMul(x!, variables.a as unknown as tf.Tensor2D));
          const error = tf.sub(tf.matMul(inner as tf.Tensor2D, variables.b as unknown as tf.Tensor2D), y!);
          const mean = tf.mul(tf.mean(tf.square(error)), size) as tf.Scalar;
          return scale ? scale.scale(mean) : mean;
        }),
      );
      loss = value / size / (scale?.value ?? 1);
      // Adam divides by the gradients' size, which its ε of 1e-8 would else be compared with.
      const take = (given: tf.NamedTensorMap) =>
        tf.tidy(() => {
          const g = Object.fromEntries(Object.entries(given).map(([name, one]) => [name, tf.div(one, size)]));
          adam.apply(g, variables);
          return [];
        });
      const isTaken = scale ? scale.step(grads, take) : true;
      if (!scale) take(grads);
      if (isTaken) taken++;
      else skipped++;
      tf.dispose(grads);
    };
    if (type === "float32") run();
    else autocast(type, run);
  }
  adam.dispose();
  tf.dispose([variables, x, y]);
  return { loss, skipped };
}

describe("training in float16", () => {
  it("recovers from gradients that overflow at the first scales, and reaches the loss of float32", () => {
    const before = held();
    const reference = train("float32", 100);
    const scale = new LossScale({ initial: 2 ** 24 });
    const { loss, skipped } = train("float16", 100, scale);
    expect(skipped).toBeGreaterThanOrEqual(3);
    expect(scale.value).toBe(2 ** (24 - skipped));
    expect(reference.loss).toBeLessThan(0.05);
    expect(Math.abs(loss - reference.loss)).toBeLessThan(0.1 * reference.loss);
    expect(held()).toBe(before);
  });

  it("learns nothing from gradients that vanish in float16, and all of it with scaling", () => {
    const size = 2 ** -22;
    const reference = train("float32", size);
    const vanished = train("float16", size);
    const scaled = train("float16", size, new LossScale());
    expect(vanished.loss).toBeGreaterThan(5 * reference.loss);
    expect(Math.abs(scaled.loss - reference.loss)).toBeLessThan(0.1 * reference.loss);
  });
});
