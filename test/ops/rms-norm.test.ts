import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { rmsNorm } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import {
  distance,
  leaked,
  numbers,
  numericGradient,
  type Op,
  type Run,
  run,
  type Value,
} from "./both-ways.ts";
import { describeNormalization } from "./normalization-support.ts";

const op =
  (epsilon?: number): Op =>
  ([x, gamma]) => [rmsNorm(x!, gamma as tf.Tensor1D, { epsilon })];

/** N rows of C numbers, and gamma. */
function inputs(N: number, C: number): Value[] {
  return [
    { shape: [N, C], values: numbers(N * C, 5).map(Math.fround) },
    { shape: [C], values: numbers(C, 6).map(Math.fround) },
  ];
}

/** The formulas as plain loops in float64, with the output weights of `run` as dy. */
function reference([x, gamma]: Value[], epsilon = 1e-6): Run {
  const C = gamma!.values.length;
  const N = x!.values.length / C;
  const dy = numbers(N * C, 90).map(Math.fround);
  const [out, dx, dgamma] = [
    new Array<number>(N * C),
    new Array<number>(N * C),
    new Array<number>(C).fill(0),
  ];
  for (let i = 0; i < N; i++) {
    const row = x!.values.slice(i * C, (i + 1) * C);
    const rms = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / C + epsilon);
    const y = row.map((v) => v / rms);
    const g = y.map((_, j) => dy[i * C + j]! * gamma!.values[j]!);
    const slope = g.reduce((sum, v, j) => sum + v * y[j]!, 0) / C;
    for (let j = 0; j < C; j++) {
      out[i * C + j] = y[j]! * gamma!.values[j]!;
      dx[i * C + j] = (g[j]! - y[j]! * slope) / rms;
      dgamma[j]! += dy[i * C + j]! * y[j]!;
    }
  }
  return { outputs: [out], gradients: [dx, dgamma] };
}

describeNormalization({ name: "rmsNorm", op, inputs, reference });

describe.each(BUILDS)("rmsNorm fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it("has the gradients that central differences find", () => {
    const values = inputs(3, 5);
    const { gradients } = run(op(0.1), values);
    for (const [k, gradient] of gradients.entries()) {
      // A step of 1e-2 truncates at 1e-4 of the third derivative, of size 1 with ε = 0.1; rounding is 2⁻²⁴/1e-2.
      expect(distance([gradient], [numericGradient(op(0.1), values, k)])).toBeLessThan(1e-3);
    }
  });

  it("gives 0 for a row of zeros, whose gradient is dy·γ/√ε", () => {
    const [, gamma] = inputs(1, 13);
    const { outputs, gradients } = run(op(1 / 4), [
      { shape: [1, 13], values: new Array(13).fill(0) },
      gamma!,
    ]);
    expect(outputs[0]!.map((y) => y + 0)).toEqual(new Array(13).fill(0));
    const dy = numbers(13, 90).map(Math.fround);
    const expected = dy.map((d, j) => Math.fround(Math.fround(d * gamma!.values[j]!) * 2));
    expect(gradients).toEqual([expected, new Array(13).fill(0)]);
  });

  it("keeps two numbers a row, and leaves no tensor behind", () => {
    const kept = tf.engine().runKernel(
      "HeedRmsNorm",
      { x: tf.ones([3, 13]), gamma: tf.ones([13]) },
      {
        epsilon: 1,
      },
    ) as unknown as tf.Tensor[];
    expect(kept.map(({ shape }) => shape)).toEqual([
      [3, 13],
      [3, 2],
    ]);
    expect(leaked(op(), inputs(3, 13))).toBe(0);
    expect(leaked(([x]) => [rmsNorm(x!)], inputs(3, 13).slice(0, 1))).toBe(0);
  });
});

describe.each(["cpu", "heed"])("rmsNorm on the %s backend", (backend) => {
  beforeAll(async () => {
    await useBuild("relaxed");
    await tf.setBackend(backend);
  });

  it("gives the values worked by hand", () => {
    // The squares of 1, 3, 5, 1 have the mean 9; with ε = 7 the root is 4.
    const out = rmsNorm(tf.tensor2d([[1, 3, 5, 1]]), tf.tensor1d([1, 4, 8, 0]), { epsilon: 7 });
    expect([...out.dataSync()]).toEqual([0.25, 3, 10, 0]);
  });

  it("normalises the last axis of any rank, without gamma as with ones", () => {
    const values = numbers(2 * 3 * 5, 1);
    const bare = rmsNorm(tf.tensor3d(values, [2, 3, 5]));
    expect(bare.shape).toEqual([2, 3, 5]);
    expect(bare.dataSync()).toEqual(rmsNorm(tf.tensor2d(values, [6, 5]), tf.ones([5])).dataSync());
    expect(rmsNorm(tf.tensor1d(values)).shape).toEqual([30]);
    expect(rmsNorm(tf.zeros([0, 5])).shape).toEqual([0, 5]);
  });

  it("refuses scalars, other widths, empty rows and epsilon 0", () => {
    const x = tf.zeros([2, 7]);
    expect(() => rmsNorm(tf.scalar(1))).toThrow(
      "rmsNorm: x must have rank 1 or more, got shape []; reshape it first",
    );
    expect(() => rmsNorm(x, tf.ones([5]))).toThrow(
      "rmsNorm: gamma must be float32 of shape [C] = [7], got float32 of shape [5]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
    expect(() => rmsNorm(tf.zeros([2, 0]))).toThrow(
      "rmsNorm: x must have C ≥ 1 elements in a row, got C = 0; normalise another axis by transposing it to the end",
    );
    expect(() => rmsNorm(x, undefined, { epsilon: 0 })).toThrow(
      "rmsNorm: epsilon must be above 0, got 0; 1e-6 is Keras', 1e-5 Llama's",
    );
  });
});
