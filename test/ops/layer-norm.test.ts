import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { layerNorm } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { distance, leaked, numbers, type Op, type Run, run, type Value } from "./both-ways.ts";
import { describeNormalization, expectClose, LARGE_ON, tolerance } from "./normalization-support.ts";

const op =
  (epsilon?: number): Op =>
  ([x, gamma, beta]) => [layerNorm(x!, gamma as tf.Tensor1D, beta as tf.Tensor1D, { epsilon })];

/** N rows of C numbers around `offset`, gamma and beta. */
function inputs(N: number, C: number, offset = 0): Value[] {
  const x = numbers(N * C, 5).map((v) => Math.fround(v + offset));
  return [
    { shape: [N, C], values: x },
    { shape: [C], values: numbers(C, 6).map(Math.fround) },
    { shape: [C], values: numbers(C, 7).map(Math.fround) },
  ];
}

/** The formulas as plain loops in float64, with the output weights of `run` as dy. */
function reference([x, gamma, beta]: Value[], epsilon = 1e-5): Run {
  const C = gamma!.values.length;
  const N = x!.values.length / C;
  const dy = numbers(N * C, 90).map(Math.fround);
  const [out, dx] = [new Array<number>(N * C), new Array<number>(N * C)];
  const [dgamma, dbeta] = [new Array<number>(C).fill(0), new Array<number>(C).fill(0)];
  for (let i = 0; i < N; i++) {
    const row = x!.values.slice(i * C, (i + 1) * C);
    const mean = row.reduce((a, b) => a + b, 0) / C;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / C;
    const sigma = Math.sqrt(variance + epsilon);
    const y = row.map((v) => (v - mean) / sigma);
    const g = y.map((_, j) => dy[i * C + j]! * gamma!.values[j]!);
    const meanG = g.reduce((a, b) => a + b, 0) / C;
    const meanGy = g.reduce((a, b, j) => a + b * y[j]!, 0) / C;
    for (let j = 0; j < C; j++) {
      out[i * C + j] = y[j]! * gamma!.values[j]! + beta!.values[j]!;
      dx[i * C + j] = (g[j]! - meanG - y[j]! * meanGy) / sigma;
      dgamma[j]! += dy[i * C + j]! * y[j]!;
      dbeta[j]! += dy[i * C + j]!;
    }
  }
  return { outputs: [out], gradients: [dx, dgamma, dbeta] };
}

describeNormalization({ name: "layerNorm", op, inputs, reference });

describe.each(BUILDS)("layerNorm fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each([1e2, 1e4, -1e6])("is as accurate for rows around %f as for rows around 0", (offset) => {
    const [N, C] = [5, 127];
    const values = inputs(N, C, offset);
    expectClose(run(op(), values), reference(values), [N, C]);
  });

  it("gives beta for rows of equal elements, and no gradient to x where C = 1", () => {
    for (const level of [0, 1, 1e4, -0.1]) {
      const [, gamma, beta] = inputs(1, 13);
      const x = { shape: [2, 13], values: new Array<number>(26).fill(level) };
      const { outputs } = run(op(), [x, gamma!, beta!]);
      // The mean of equal elements may be one rounding off, which `rest` takes back up to its own rounding / √ε.
      const residue = Math.abs(level) * 2 ** -22 * 2 ** -24 * 320;
      expect(distance(outputs, [[...beta!.values, ...beta!.values]])).toBeLessThanOrEqual(residue + 2 ** -24);
    }
    const { gradients } = run(op(), inputs(3, 1, 7));
    expect(gradients[0]!.map((d) => d + 0)).toEqual([0, 0, 0]);
  });

  it("leaves no tensor behind", () => {
    expect(leaked(op(), inputs(3, 13))).toBe(0);
    expect(leaked(([x]) => [layerNorm(x!)], inputs(3, 13).slice(0, 1))).toBe(0);
  });
});

describe.each(["cpu", "heed"])("layerNorm on the %s backend", (backend) => {
  beforeAll(async () => {
    await useBuild("relaxed");
    await tf.setBackend(backend);
  });

  it("gives the values worked by hand", () => {
    // The mean of 1, 3, 6, 6 is 4, the variance (9 + 1 + 4 + 4)/4 = 4.5; with ε = 1.75, σ = √6.25 = 2.5.
    const out = layerNorm(
      tf.tensor2d([[1, 3, 6, 6]]),
      tf.tensor1d([1, 5, 10, 0]),
      tf.tensor1d([0, 1, 2, 3]),
      {
        epsilon: 1.75,
      },
    );
    expect(distance([[...out.dataSync()]], [[-1.2, -1, 10, 3]])).toBeLessThan(4 * 2 ** -24);
  });

  it("normalises the last axis of any rank, without gamma and beta as with ones and zeros", () => {
    const values = numbers(2 * 3 * 5, 1);
    const bare = layerNorm(tf.tensor3d(values, [2, 3, 5]));
    const given = layerNorm(tf.tensor2d(values, [6, 5]), tf.ones([5]), tf.zeros([5]));
    expect(bare.shape).toEqual([2, 3, 5]);
    expect(bare.dataSync()).toEqual(given.dataSync());
    expect(layerNorm(tf.tensor1d(values)).shape).toEqual([30]);
    expect(layerNorm(tf.zeros([0, 5])).shape).toEqual([0, 5]);
  });

  it("keeps rows around 10⁴ accurate", () => {
    const values = inputs(5, 127, 1e4);
    const error = distance(run(op(), values).outputs, reference(values).outputs);
    expect(error).toBeLessThan(tolerance(5, 127).outputs);
  });

  it("refuses scalars, other widths, empty rows and epsilon 0", () => {
    const x = tf.zeros([2, 7]);
    expect(() => layerNorm(tf.scalar(1))).toThrow(
      "layerNorm: x must have rank 1 or more, got shape []; reshape it first",
    );
    expect(() => layerNorm(x, tf.ones([5]))).toThrow(
      "layerNorm: gamma must be float32 of shape [C] = [7], got float32 of shape [5]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
    expect(() => layerNorm(x, undefined, tf.zeros([7], "int32"))).toThrow(
      "layerNorm: beta must be float32 of shape [C] = [7], got int32 of shape [7]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
    expect(() => layerNorm(tf.zeros([2, 0]))).toThrow(
      "layerNorm: x must have C ≥ 1 elements in a row, got C = 0; normalise another axis by transposing it to the end",
    );
    expect(() => layerNorm(x, undefined, undefined, { epsilon: 0 })).toThrow(
      "layerNorm: epsilon must be above 0, got 0; 1e-5 is PyTorch's, 1e-3 Keras'",
    );
  });
});

describe.each(LARGE_ON)("layerNorm of ± one large number, %s", (_, use) => {
  beforeAll(async () => void (await use()));

  it.each([1e20, 3e38])("of ±%f is ±1, and of that number alone beta", (size) => {
    const x = tf.tensor2d([
      [size, -size, size, -size, size, -size],
      [size, size, size, size, size, size],
    ]);
    const out = layerNorm(x, undefined, tf.fill([6], 0.25)).dataSync();
    const signs = Array.from({ length: 6 }, (_, j) => (j % 2 === 0 ? 1.25 : -0.75));
    expect(distance([[...out]], [[...signs, ...new Array<number>(6).fill(0.25)]])).toBeLessThan(4 * 2 ** -24);
  });
});
