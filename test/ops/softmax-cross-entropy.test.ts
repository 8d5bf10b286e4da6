import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { softmaxCrossEntropy } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import {
  bothWays,
  distance,
  leaked,
  numbers,
  numericGradient,
  type Op,
  run,
  type Value,
} from "./both-ways.ts";

const loss =
  (smoothing: number): Op =>
  ([logits, labels]) => [softmaxCrossEntropy(logits as tf.Tensor2D, labels as tf.Tensor1D, { smoothing })];

/** N rows of V logits; every third label ignored, and that row's logits NaN. */
function inputs(N: number, V: number, scale: number): Value[] {
  const ignored = (i: number) => i % 3 === 1;
  const labels = Array.from({ length: N }, (_, i) => (ignored(i) ? -1 : (i * 31 + 2) % V));
  const logits = numbers(N * V, 5, scale).map((v, i) => (ignored(Math.floor(i / V)) ? Number.NaN : v));
  return [
    { shape: [N, V], values: logits },
    { shape: [N], values: labels, dtype: "int32" },
  ];
}

describe("softmaxCrossEntropy composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("gives the loss worked by hand", () => {
    // Logits ln 1, ln 2, ln 5 have the softmax ⅛, ¼, ⅝. Label 1, ε = 0.3: targets 0.1, 0.8, 0.1.
    const logits = tf.tensor2d([[0, Math.log(2), Math.log(5)]]);
    const losses = softmaxCrossEntropy(logits, tf.tensor1d([1], "int32"), { smoothing: 0.3 });
    const expected = -(0.1 * Math.log(1 / 8) + 0.8 * Math.log(1 / 4) + 0.1 * Math.log(5 / 8));
    expect(losses.dataSync()[0]).toBeCloseTo(expected, 6);
  });

  it("has the gradients that central differences find", () => {
    const values = inputs(2, 5, 2);
    // Differences of float32 losses near 3: rounding 3e-7 / 2e-2, and the third derivative times 1e-4.
    const found = numericGradient(loss(0.1), values, 0).slice(0, 5);
    expect(distance([run(loss(0.1), values).gradients[0]!.slice(0, 5)], [found])).toBeLessThan(5e-4);
  });

  it("weighs rows, and lets the gradient through to the weights", () => {
    const op: Op = ([logits, weights]) => [
      softmaxCrossEntropy(logits as tf.Tensor2D, tf.tensor1d([1, 0], "int32"), {
        weights: weights as tf.Tensor1D,
      }),
    ];
    const values = [
      { shape: [2, 3], values: numbers(6, 1) },
      { shape: [2], values: [2, 0.5] },
    ];
    const { outputs, gradients } = run(op, values);
    const bare = run((t) => op([t[0]!, tf.ones([2])]), [values[0]!]);
    expect(distance(outputs, [bare.outputs[0]!.map((v, i) => v * [2, 0.5][i]!)])).toBeLessThan(1e-6);
    expect(gradients[1]!.every((d) => d !== 0)).toBe(true);
  });

  it("refuses labels that name no class, other shapes and other smoothing", () => {
    const logits = tf.zeros<tf.Rank.R2>([2, 7]);
    expect(() => softmaxCrossEntropy(logits, tf.tensor1d([1, 7], "int32"))).toThrow(
      "softmaxCrossEntropy: labels must be below V = 7, got 7 at row 1; give a label below 0 to rows that should not count",
    );
    expect(() => softmaxCrossEntropy(logits, tf.tensor1d([1, 2]))).toThrow(
      "softmaxCrossEntropy: labels must be int32 of shape [N] = [2], got float32 of shape [2]; the letters must mean " +
        "the same sizes in all of the call's tensors",
    );
    expect(() => softmaxCrossEntropy(logits, tf.tensor1d([1, 2], "int32"), { smoothing: 1.5 })).toThrow(
      "softmaxCrossEntropy: smoothing must be from 0 to 1, got 1.5; 0.1 is usual",
    );
  });
});

describe.each(BUILDS)("softmaxCrossEntropy fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each([
    [1, 2, 0, 3],
    [5, 1, 0.1, 3],
    [5, 13, 0, 3],
    [5, 13, 0.1, 3],
    [4, 24, 0.1, 80],
    [7, 1009, 0.2, 8],
  ])(
    "equals the composed one for N = %i, V = %i, smoothing %f, logits to ±%i",
    async (N, V, smoothing, scale) => {
      const values = inputs(N, V, scale);
      const { fused, composed } = await bothWays(loss(smoothing), values);
      // The cpu backend sums V float32 terms in a row: √V roundings, each 6e-8 of logits up to `scale`.
      const tolerance = 6e-8 * Math.sqrt(V) * Math.max(scale, 8);
      expect(distance(fused.outputs, composed.outputs)).toBeLessThan(tolerance);
      expect(distance(fused.gradients, composed.gradients)).toBeLessThan(tolerance);
    },
  );

  it("ignores a row of NaN whose label is below 0", () => {
    const { outputs, gradients } = run(loss(0.1), inputs(5, 13, 3));
    expect([outputs[0]![1], outputs[0]![4]]).toEqual([0, 0]);
    expect(gradients[0]!.slice(13, 26)).toEqual(new Array(13).fill(0));
    expect(gradients.flat().some(Number.isNaN)).toBe(false);
  });

  it("stays finite for logits that overflow the exponential, and allows −Infinity beside the label", () => {
    const logits = [1000, 990, -1000, 500, Number.NEGATIVE_INFINITY, 0];
    const values: Value[] = [
      { shape: [2, 3], values: logits },
      { shape: [2], values: [1, 2], dtype: "int32" },
    ];
    const { outputs, gradients } = run(loss(0), values);
    expect(outputs[0]![0]).toBeCloseTo(10 + Math.log1p(Math.exp(-10)), 5);
    expect(outputs[0]![1]).toBe(500);
    expect(gradients[0]![4]).toBe(0);
    expect(gradients.flat().some(Number.isNaN)).toBe(false);
  });

  it("lets NaN in a row that counts through to its loss", () => {
    const values = inputs(1, 13, 3);
    values[0]!.values[12] = Number.NaN;
    expect(run(loss(0), values).outputs[0]).toEqual([Number.NaN]);
  });

  it("leaves no tensor behind", () => {
    expect(leaked(loss(0.1), inputs(5, 13, 3))).toBe(0);
  });
});
