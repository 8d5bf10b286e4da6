import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { gatedSilu, silu } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { bothWays, distance, leaked, numbers, type Op, run, type Value } from "./both-ways.ts";

const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

const alone: Op = ([x]) => [silu(x!)];
const gated: Op = ([gate, x]) => [gatedSilu(gate!, x!)];

const float32 = (values: number[]): Value => ({ shape: [values.length], values: values.map(Math.fround) });
const POINTS = [...numbers(5003, 1, 16), ...numbers(1009, 2, 1e-3), -80, -40, -13, -5, 0, 5, 40];
const INPUT = float32(POINTS);
const OTHER = float32(numbers(POINTS.length, 3));
const DY = numbers(POINTS.length, 90).map(Math.fround);

/**
 * assembly/silu.ts: 1e-7 for the exponential, and up to six roundings around it; and its argument, without FMA rounded
 * once as a multiple of log₂e, which is itself rounded: 7.4e-8 of |x|.
 */
const errorAt = (x: number) => 1e-7 + 6 * 2 ** -24 + 7.4e-8 * Math.abs(x);
/** The exponential is 0 where it would be below 1e-38, and |x| is below 90 there. */
const TINY = 90 * 1e-38;
/** Where the terms of a sum may cancel, its error counts against their sizes. */
const wrong = (got: number[], terms: (x: number, i: number) => number[]) =>
  INPUT.values.filter((x, i) => {
    const parts = terms(x, i);
    const size = parts.reduce((sum, part) => sum + Math.abs(part), 0);
    return !(Math.abs(got[i]! - parts.reduce((sum, part) => sum + part, 0)) <= errorAt(x) * size + TINY);
  });
const slopes = (x: number) => [sigmoid(x), x * sigmoid(x) * sigmoid(-x)];

describe.each(BUILDS)("silu fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it("is that of float64 with its gradient, in the far tail too", () => {
    const { outputs, gradients } = run(alone, [INPUT]);
    expect(wrong(outputs[0]!, (x) => [x * sigmoid(x)])).toEqual([]);
    expect(wrong(gradients[0]!, (x, i) => slopes(x).map((term) => term * DY[i]!))).toEqual([]);
  });

  it("as a gate is that of float64 with both gradients", () => {
    const { outputs, gradients } = run(gated, [INPUT, OTHER]);
    const other = OTHER.values;
    expect(wrong(outputs[0]!, (x, i) => [x * sigmoid(x) * other[i]!])).toEqual([]);
    expect(wrong(gradients[0]!, (x, i) => slopes(x).map((term) => term * DY[i]! * other[i]!))).toEqual([]);
    expect(wrong(gradients[1]!, (x, i) => [x * sigmoid(x) * DY[i]!])).toEqual([]);
  });

  it.each([1, 3, 5, 13, 127, 129])("equals the composed one for %i elements", async (n) => {
    for (const [op, inputs] of [
      [alone, [{ shape: [n], values: numbers(n, 3, 4) }]],
      [
        gated,
        [
          { shape: [n], values: numbers(n, 3, 4) },
          { shape: [n], values: numbers(n, 4, 4) },
        ],
      ],
    ] as [Op, Value[]][]) {
      const { fused, composed } = await bothWays(op, inputs);
      // Arguments of up to 4, and a dozen roundings of the composed one; terms of up to 4 · 1.5 · 4 may cancel.
      const error = errorAt(4) + 12 * 2 ** -24;
      expect(distance(fused.outputs, composed.outputs)).toBeLessThan(error);
      expect(distance(fused.gradients, composed.gradients)).toBeLessThan(24 * error);
    }
  });

  it("lets NaN through, and no other element sees it", () => {
    const [x, y] = [float32([1, Number.NaN, 2, 3, Number.NaN]), float32([1, 2, Number.NaN, 4, 5])];
    const one = run(alone, [x]);
    const where = [false, true, false, false, true];
    for (const row of [one.outputs[0]!, one.gradients[0]!]) expect(row.map(Number.isNaN)).toEqual(where);
    const two = run(gated, [x, y]);
    const either = [false, true, true, false, true];
    for (const row of [two.outputs[0]!, two.gradients[0]!]) expect(row.map(Number.isNaN)).toEqual(either);
    expect(two.gradients[1]!.map(Number.isNaN)).toEqual(where);
  });

  it("is 0 or x for numbers of any size, its gradient 0 or dy", () => {
    const input = float32([-3e38, -1e20, -1e4, -100, 20, 1e4, 1e20, 3e38]);
    const { outputs, gradients } = run(alone, [input]);
    // e⁻²⁰ is 2e-9, below half a rounding of 20.
    expect(outputs[0]!.map((y) => y + 0)).toEqual(input.values.map((x) => Math.max(x, 0)));
    const dy = numbers(8, 90).map(Math.fround);
    expect(gradients[0]!.map((d) => d + 0)).toEqual(dy.map((d, i) => (input.values[i]! > 0 ? d : 0)));
  });

  it("keeps shape, takes an empty tensor and leaves none behind", () => {
    expect(silu(tf.zeros([2, 3, 5])).shape).toEqual([2, 3, 5]);
    expect(silu(tf.zeros([0, 3])).shape).toEqual([0, 3]);
    expect(gatedSilu(tf.zeros([0, 3]), tf.zeros([0, 3])).shape).toEqual([0, 3]);
    const input = { shape: [3, 5], values: numbers(15, 1) };
    expect(leaked(alone, [input])).toBe(0);
    expect(leaked(gated, [input, input])).toBe(0);
  });
});

describe("silu composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("gives the values worked by hand", () => {
    // σ(1) = 0.7310586 and σ(−1) = 0.2689414.
    const x = tf.tensor1d([1, -1, 0]);
    expect([...silu(x).dataSync()].map((y) => y.toFixed(5))).toEqual(["0.73106", "-0.26894", "0.00000"]);
    const behind = gatedSilu(x, tf.tensor1d([2, 3, 4])).dataSync();
    expect([...behind].map((y) => y.toFixed(5))).toEqual(["1.46212", "-0.80682", "0.00000"]);
  });

  it("refuses integers and unequal shapes", () => {
    expect(() => silu(tf.tensor1d([1, 2], "int32"))).toThrow(
      "silu: x must be float32 of shape […] = [2], got int32 of shape [2]; the letters must mean the same sizes in " +
        "all of the call's tensors",
    );
    expect(() => gatedSilu(tf.ones([2, 3]), tf.ones([3]) as tf.Tensor)).toThrow(
      "gatedSilu: x must be float32 of shape […] = [2, 3], got float32 of shape [3]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
  });
});
