import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { dropout } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { bothWays, leaked, numbers, type Op, run } from "./both-ways.ts";

const op =
  (rate: number, seed: number, stream: number): Op =>
  ([x]) => [dropout(x!, rate, { seed, stream })];

describe("dropout composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("drops element i where number i of the stream is below the rate, and divides the others by 1 − rate", () => {
    const random = new RandomStream(42, 7);
    const expected = Array.from({ length: 35 }, () => (random.uniform() >= 0.25 ? 2 : 0));
    expect(Array.from(dropout(tf.fill([5, 7], 1.5), 0.25, { seed: 42, stream: 7 }).dataSync())).toEqual(
      expected,
    );
  });

  it("gives the gradient 1 / (1 − rate) to what it kept and 0 to what it dropped", () => {
    const x = tf.ones([11]);
    const y = dropout(x, 0.5, { seed: 3 });
    const dx = tf.grad((t) => tf.sum(dropout(t, 0.5, { seed: 3 })))(x);
    expect(Array.from(dx.dataSync())).toEqual(Array.from(y.dataSync()));
  });

  it("keeps everything at rate 0, gradient included", () => {
    const { outputs, gradients } = run(op(0, 1, 0), [{ shape: [3], values: [1, 2, 3] }]);
    expect(outputs[0]).toEqual([1, 2, 3]);
    expect(gradients[0]).toEqual(Array.from(new Float32Array(numbers(3, 90))));
  });

  it("refuses rates outside 0 ≤ rate < 1, other types, and seeds that are no safe integers", () => {
    expect(() => dropout(tf.ones([2]), 1, { seed: 1 })).toThrow(
      "dropout: rate must be from 0 to below 1, got 1; it is the share of elements that become 0",
    );
    expect(() => dropout(tf.ones([2], "int32"), 0.5, { seed: 1 })).toThrow(
      "dropout: x must be float32 of shape […] = [2], got int32 of shape [2]; the letters must mean the same sizes " +
        "in all of the call's tensors",
    );
    expect(() => dropout(tf.ones([2]), 0.5, { seed: 0.5 })).toThrow(
      "RandomStream: seed must be an integer from 0 to 9007199254740991, got 0.5; round it or choose one in that range",
    );
  });
});

describe.each(BUILDS)("dropout fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each([
    [[1], 0.5, 1, 0],
    [[5, 3], 0.2, 2 ** 40 + 5, 1],
    [[7, 13], 0.9, 7, 2 ** 45 + 3],
    [[3, 11, 31], 1 / 3, 0, 4],
    [[32], 0.5, 3, 1],
    [[49], 0.5, 3, 2],
  ])("equals the composed one bit for bit on shape %o at rate %f", async (shape, rate, seed, stream) => {
    const inputs = [{ shape, values: numbers(tf.util.sizeFromShape(shape), 3) }];
    const { fused, composed } = await bothWays(op(rate, seed, stream), inputs);
    expect(fused.outputs).toEqual(composed.outputs);
    // The composed gradient multiplies a dropped element by 0 and may give −0.
    expect(fused.gradients[0]!.map((d) => d + 0)).toEqual(composed.gradients[0]!.map((d) => d + 0));
  });

  it("drops the share it says", () => {
    const dropped = tf.tidy(
      () => tf.sum(tf.equal(dropout(tf.ones([100_003]), 0.3, { seed: 9 }), 0)).dataSync()[0]!,
    );
    // Three standard deviations of a binomial: 3 · √(n · 0.3 · 0.7) = 435.
    expect(Math.abs(dropped - 30_001)).toBeLessThan(435);
  });

  it("drops NaN and Infinity like any other element", () => {
    const values = new Array(64).fill(Number.NaN);
    const kept = run(op(0.5, 5, 0), [{ shape: [64], values: new Array(64).fill(1) }]).outputs[0]!;
    const { outputs } = run(op(0.5, 5, 0), [{ shape: [64], values }]);
    expect(outputs[0]).toEqual(kept.map((y) => (y === 0 ? 0 : Number.NaN)));
  });

  it("keeps one bit an element for its gradient, which draws no number again", async () => {
    const x = tf.ones([7, 13]);
    const { kernels } = await tf.profile(() => tf.grad((t) => dropout(t, 0.5, { seed: 3 }))(x));
    expect(kernels.filter(({ name }) => name === "HeedDropout").map((k) => k.outputShapes)).toEqual([
      [[7, 13], [3]],
    ]);
    expect(kernels.filter(({ name }) => name === "HeedDropoutGrad").length).toBe(1);
  });

  it("leaves no tensor behind", () => {
    expect(leaked(op(0.2, 1, 0), [{ shape: [7, 13], values: numbers(91, 1) }])).toBe(0);
  });
});
