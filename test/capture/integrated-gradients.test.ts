import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { softAttention } from "../../src/attention/index.ts";
import { integratedGradients } from "../../src/capture/index.ts";
import { onEveryBackend } from "../attention/support.ts";

const [T, S, D] = [3, 5, 7];
const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, "float32", seed);
const sumOf = (x: tf.Tensor) => Array.from(tf.cast(x, "float32").dataSync()).reduce((a, b) => a + b, 0);

/** A number that attention gives, smooth in its keys and values. */
function model() {
  const q = random([1, 1, T, D], 1) as tf.Tensor4D;
  const w = random([D], 2);
  return (words: tf.Tensor) => {
    const kv = tf.reshape(words, [1, 1, S, D]) as tf.Tensor4D;
    return tf.sum(tf.tanh(tf.mul(softAttention(q, kv, kv).output, w)));
  };
}

onEveryBackend("integrated gradients", () => {
  it("are x² − x'² of a sum of squares, to the rounding of as many terms as there are steps", () => {
    const [x, baseline] = [random([11], 3), random([11], 4)];
    const got = integratedGradients((x) => tf.sum(tf.square(x)), x, { baseline, steps: 7 });
    const expected = tf.sub(tf.square(x), tf.square(baseline)).dataSync();
    // Each of 7 gradients 2x rounds a few times, so does their sum; |x| < 4.
    for (const [n, value] of got.dataSync().entries())
      expect(Math.abs(value - expected[n]!)).toBeLessThan(7 * 4 * 64 * 2 ** -24);
  });

  it("add up to what the input changes of attention's number, more closely the more steps there are", () => {
    const f = model();
    const [x, baseline] = [random([S, D], 5), random([S, D], 6)];
    const change = f(x).dataSync()[0]! - f(baseline).dataSync()[0]!;
    const missing = [4, 8, 64].map((steps) =>
      Math.abs(sumOf(integratedGradients(f, x, { baseline, steps })) - change),
    );
    expect(Math.abs(change)).toBeGreaterThan(0.1);
    expect(missing[1]).toBeLessThan(missing[0]! / 2);
    expect(missing[2]).toBeLessThan(missing[0]! / 64);
  });

  it("give nothing to what the number does not read, nor to what is as in the baseline; nothing leaks", () => {
    const f = model();
    const x = random([S + 1, D], 7);
    const before = tf.memory().numTensors;
    const got = integratedGradients((x) => f(tf.slice(x, [0, 0], [S, D])), x, { steps: 3 });
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(
      got
        .dataSync()
        .slice(S * D)
        .every((value) => value === 0),
    ).toBe(true);
    const same = integratedGradients(f, tf.slice(x, [0, 0], [S, D]), {
      baseline: tf.slice(x, [0, 0], [S, D]),
      steps: 2,
    });
    expect(same.dataSync().every((value) => value === 0)).toBe(true);
  });

  it("refuse what they cannot do, in a sentence", () => {
    const x = random([3], 8);
    expect(() => integratedGradients((x) => tf.square(x), x)).toThrow(
      "integratedGradients: f(x) must be one number, got shape [3]; take one element, such as a class's score",
    );
    expect(() => integratedGradients((x) => tf.sum(x), x, { steps: 0 })).toThrow(
      "integratedGradients: steps must be",
    );
    expect(() => integratedGradients((x) => tf.sum(x), x, { baseline: random([4], 9) })).toThrow(
      "integratedGradients: baseline",
    );
  });
});
