import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { linear } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { bothWays, distance, leaked, numbers, type Op, type Run, run, type Value } from "./both-ways.ts";

const op: Op = ([x, w, b]) => [linear(x!, w as tf.Tensor2D, b as tf.Tensor1D | undefined)];

/** x [lead…, I], w [I, O] and b [O]. */
function inputs(lead: number[], I: number, O: number): Value[] {
  return [[...lead, I], [I, O], [O]].map((shape, k) => ({
    shape,
    values: numbers(tf.util.sizeFromShape(shape), k + 3).map(Math.fround),
  }));
}

/** The formula and its gradients as plain loops in float64, with the output weights of `run` as dy. */
function reference([x, w, b]: Value[]): Run {
  const [I, O] = w!.shape as [number, number];
  const N = x!.values.length / I;
  const dy = numbers(N * O, 90).map(Math.fround);
  const zeros = (n: number) => new Array<number>(n).fill(0);
  const [out, dx, dw, db] = [zeros(N * O), zeros(N * I), zeros(I * O), zeros(O)];
  for (let n = 0; n < N; n++) {
    for (let o = 0; o < O; o++) {
      const d = dy[n * O + o]!;
      out[n * O + o] = b?.values[o] ?? 0;
      db[o]! += d;
      for (let i = 0; i < I; i++) {
        out[n * O + o]! += x!.values[n * I + i]! * w!.values[i * O + o]!;
        dx[n * I + i]! += d * w!.values[i * O + o]!;
        dw[i * O + o]! += d * x!.values[n * I + i]!;
      }
    }
  }
  return { outputs: [out], gradients: b ? [dx, dw, db] : [dx, dw] };
}

/** Sums of n products of numbers up to 1.5 and 1.5, each rounded: at most n · 2.25 · 2⁻²⁴ for each rounding of n. */
const tolerance = (n: number) => (2.25 * n + 8) * Math.sqrt(n) * 2 ** -24;

const SIZES: [lead: number[], I: number, O: number][] = [
  [[1], 1, 1],
  [[2], 3, 5],
  [[2, 3], 5, 13],
  [[2, 3, 5], 7, 1],
  [[3, 43], 13, 127],
  [[7, 1], 129, 11],
];

describe.each(BUILDS)("linear fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each(SIZES)(
    "is that of float64 for x [%j, %i] and O = %i, and equals the composed one",
    async (lead, I, O) => {
      for (const values of [inputs(lead, I, O), inputs(lead, I, O).slice(0, 2)]) {
        const { fused, composed } = await bothWays(op, values);
        const exact = reference(values);
        const error = tolerance(Math.max(I, O, tf.util.sizeFromShape(lead)));
        for (const got of [fused, composed]) {
          expect(distance(got.outputs, exact.outputs)).toBeLessThan(error);
          expect(distance(got.gradients, exact.gradients)).toBeLessThan(error);
        }
      }
    },
  );

  it("makes no gradient that nobody asks for", async () => {
    const [x, w, b] = inputs([2, 3], 5, 7).map(({ shape, values }) => tf.tensor(values, shape));
    const kernelsOf = async (f: () => tf.Tensor) => {
      const { kernelNames } = await tf.profile(f);
      return kernelNames.filter((name) => name.startsWith("HeedLinear"));
    };
    const loss = (x: tf.Tensor, w: tf.Tensor) => tf.sum(linear(x, w as tf.Tensor2D, b as tf.Tensor1D));
    expect(await kernelsOf(() => tf.grad((w) => loss(x!, w))(w!))).toEqual([
      "HeedLinear",
      "HeedLinearGradWeights",
    ]);
    expect(await kernelsOf(() => tf.grad((x) => loss(x, w!))(x!))).toEqual([
      "HeedLinear",
      "HeedLinearGradInput",
    ]);
  });

  it("keeps NaN to the rows and columns that it reaches", () => {
    const values = inputs([3], 5, 7);
    values[0]!.values[5 + 2] = Number.NaN;
    const { outputs, gradients } = run(op, values);
    expect(outputs[0]!.map(Number.isNaN)).toEqual(
      Array.from({ length: 21 }, (_, i) => Math.floor(i / 7) === 1),
    );
    expect(gradients[0]!.some(Number.isNaN)).toBe(false);
    expect(gradients[1]!.map(Number.isNaN)).toEqual(
      Array.from({ length: 35 }, (_, i) => Math.floor(i / 7) === 2),
    );
    expect(gradients[2]!.some(Number.isNaN)).toBe(false);
  });

  it("leaves no tensor behind", () => {
    expect(leaked(op, inputs([2, 3], 5, 7))).toBe(0);
    expect(leaked(op, inputs([2, 3], 5, 7).slice(0, 2))).toBe(0);
  });
});

describe.each(["cpu", "heed"])("linear on the %s backend", (backend) => {
  beforeAll(async () => {
    await useBuild("relaxed");
    await tf.setBackend(backend);
  });

  it("gives the values worked by hand", () => {
    // (1, 2)·(1 2 3; 4 5 6) = (9, 12, 15), and a bias of (0, −2, 1).
    const [x, w] = [tf.tensor2d([[1, 2]]), tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3])];
    expect([...linear(x, w, tf.tensor1d([0, -2, 1])).dataSync()]).toEqual([9, 10, 16]);
  });

  it("of no rows has no rows, and gradients of 0", () => {
    const none: Value[] = [{ shape: [0, 5], values: [] }, ...inputs([1], 5, 7).slice(1)];
    const { outputs, gradients } = run(op, none);
    expect(outputs).toEqual([[]]);
    expect(gradients).toEqual([[], new Array(35).fill(0), new Array(7).fill(0)]);
    expect(linear(tf.zeros([3, 0, 5]), tf.zeros([5, 7])).shape).toEqual([3, 0, 7]);
  });

  it("refuses shapes that disagree, vectors and weights of no rows", () => {
    const w = tf.zeros<tf.Rank.R2>([5, 7]);
    expect(() => linear(tf.zeros([2, 3]), w)).toThrow(
      "linear: x must be float32 of shape […, I] = [2, 5], got float32 of shape [2, 3]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
    expect(() => linear(tf.zeros([2, 5]), w, tf.zeros([5]))).toThrow(
      "linear: b must be float32 of shape [O] = [7], got float32 of shape [5]; the letters must mean the same sizes " +
        "in all of the call's tensors",
    );
    expect(() => linear(tf.zeros([5]), w)).toThrow(
      "linear: x must have rank 2 or more, got shape [5]; reshape it first",
    );
    expect(() => linear(tf.zeros([2, 5]), tf.zeros([5]) as unknown as tf.Tensor2D)).toThrow(
      "linear: w must have rank 2, got shape [5]; reshape it first",
    );
    expect(() => linear(tf.zeros([2, 0]), tf.zeros([0, 3]))).toThrow(
      "linear: w must have I ≥ 1 rows, got I = 0; x must have something to map",
    );
  });
});
