import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { gelu } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { bothWays, distance, leaked, numbers, type Op, run, type Value } from "./both-ways.ts";
import { erfc } from "./erf.ts";

/** Φ(x) and x·φ(x), of whose sum the gradient is made. */
const normal = (x: number) => erfc(-x * Math.SQRT1_2) / 2;
const bell = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
/** y of the tanh form and its derivative. */
const inner = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const slope = (x: number) => Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
/** σ(2y) = ½·(1 + tanh y). */
const sigmoid = (y: number) => (y < 0 ? Math.exp(2 * y) / (1 + Math.exp(2 * y)) : 1 / (1 + Math.exp(-2 * y)));

interface Form {
  name: string;
  approximate: boolean;
  value: (x: number) => number;
  /** The two terms of the gradient. */
  terms: (x: number) => [number, number];
  /** The relative error that float32 leaves to each term. */
  error: (x: number) => number;
}

const FORMS: Form[] = [
  {
    name: "exact",
    approximate: false,
    value: (x) => x * normal(x),
    terms: (x) => [normal(x), x * bell(x)],
    // assembly/gelu.ts: 3e-7 for P and t, 1e-7 for the exponential, three roundings; and the exponent x²/2, rounded
    // once as x² and, without FMA, once as a multiple of log₂e, which is itself rounded: 1.34e-7 of x²/2.
    error: (x) => 6e-7 + 7e-8 * x * x,
  },
  {
    name: "tanh",
    approximate: true,
    value: (x) => x * sigmoid(inner(x)),
    terms: (x) => {
      const s = sigmoid(inner(x));
      return [s, x * s * sigmoid(-inner(x)) * 2 * slope(x)];
    },
    // 1e-7 for the exponential, five roundings around it; six in its argument 2y.
    error: (x) => 4e-7 + 6 * 2 ** -24 * Math.abs(2 * inner(x)),
  },
];

const op =
  (approximate: boolean): Op =>
  ([x]) => [gelu(x!, { approximate })];

const float32 = (values: number[]): Value => ({ shape: [values.length], values: values.map(Math.fround) });
/** The kernels' exponential is 0 where it would be below 1e-38; the gradient of the tanh form has it 300 times. */
const TINY = 300 * 1e-38;

describe.each(BUILDS)("gelu fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each(FORMS)("$name is that of float64, in the far tail too", ({ approximate, value, error }) => {
    const input = float32([...numbers(5003, 1, 16), ...numbers(1009, 2, 1e-3), -13, -9, -5, 0, 5, 40]);
    const got = run(op(approximate), [input]).outputs[0]!;
    const bad = input.values.filter(
      (x, i) => !(Math.abs(got[i]! - value(x)) <= error(x) * Math.abs(value(x)) + TINY),
    );
    expect(bad).toEqual([]);
  });

  it.each(FORMS)("the gradient of $name is that of float64", ({ approximate, terms, error }) => {
    const input = float32([...numbers(5003, 1, 16), ...numbers(1009, 2, 1e-3), -13, -9, -5, 0, 5, 40]);
    const got = run(op(approximate), [input]).gradients[0]!;
    const dy = numbers(input.values.length, 90).map(Math.fround);
    const bad = input.values.filter((x, i) => {
      const [a, b] = terms(x);
      const size = (Math.abs(a) + Math.abs(b)) * Math.abs(dy[i]!);
      return !(Math.abs(got[i]! - dy[i]! * (a + b)) <= error(x) * size + TINY);
    });
    expect(bad).toEqual([]);
  });

  it.each([1, 3, 5, 13, 127, 129])("equals the composed one for %i elements", async (n) => {
    for (const { approximate } of FORMS) {
      const input: Value[] = [{ shape: [n], values: numbers(n, 3, 4) }];
      const { fused, composed } = await bothWays(op(approximate), input);
      // TensorFlow.js' erf on the cpu backend is Abramowitz & Stegun's 7.1.26, within 1.5e-7: half of that, times |x|.
      expect(distance(fused.outputs, composed.outputs)).toBeLessThan(4 * 0.75e-7 + 4e-7);
      expect(distance(fused.gradients, composed.gradients)).toBeLessThan(1.5 * 0.75e-7 + 1e-6);
    }
  });

  it.each(FORMS)("$name lets NaN through, and no other element sees it", ({ approximate }) => {
    const { outputs, gradients } = run(op(approximate), [float32([1, Number.NaN, 2, 3, Number.NaN])]);
    const where = [false, true, false, false, true];
    expect(outputs[0]!.map(Number.isNaN)).toEqual(where);
    expect(gradients[0]!.map(Number.isNaN)).toEqual(where);
  });

  it.each(FORMS)("$name is 0 or x for numbers of any size, its gradient 0 or dy", ({ approximate }) => {
    const input = float32([-3e38, -1e20, -1e4, -20, 20, 1e4, 1e20, 3e38]);
    const { outputs, gradients } = run(op(approximate), [input]);
    expect(outputs[0]!.map((y) => y + 0)).toEqual(input.values.map((x) => Math.max(x, 0)));
    const dy = numbers(8, 90).map(Math.fround);
    expect(gradients[0]!.map((d) => d + 0)).toEqual(dy.map((d, i) => (input.values[i]! > 0 ? d : 0)));
  });

  it("keeps shape, takes an empty tensor and leaves none behind", () => {
    expect(gelu(tf.zeros([2, 3, 5])).shape).toEqual([2, 3, 5]);
    expect(gelu(tf.zeros([0, 3])).shape).toEqual([0, 3]);
    expect(leaked(op(false), [{ shape: [3, 5], values: numbers(15, 1) }])).toBe(0);
  });
});

describe("gelu composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("gives the values worked by hand", () => {
    // Φ(1) = 0.8413447 and Φ(−1) = 0.1586553; tanh(√(2/π)·1.044715) = tanh 0.8335717 = 0.6823841.
    expect([...gelu(tf.tensor1d([1, -1, 0])).dataSync()].map((y) => y.toFixed(5))).toEqual([
      "0.84134",
      "-0.15866",
      "0.00000",
    ]);
    const tanh = gelu(tf.tensor1d([1, -1]), { approximate: true }).dataSync();
    expect([...tanh].map((y) => y.toFixed(5))).toEqual(["0.84119", "-0.15881"]);
  });

  it("refuses integers", () => {
    expect(() => gelu(tf.tensor1d([1, 2], "int32"))).toThrow(
      "gelu: x must be float32 of shape […] = [2], got int32 of shape [2]; the letters must mean the same sizes in " +
        "all of the call's tensors",
    );
  });
});
