import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { heapOf } from "../../src/host/heap.ts";
import { type AdditiveAttentionOptions, additiveAttention } from "../../src/ops/index.ts";
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

const [B, T, S, A, DV] = [2, 3, 5, 7, 11];

/** The options of one case; `bias` names a bias of this shape, an input with a gradient. */
type Options = Omit<AdditiveAttentionOptions, "bias" | "allow"> & { bias?: number[]; allow?: number[] };

/** All outputs; an lse of −∞ counts as 0, so that sums stay finite. */
function opOf({ bias: biasShape, allow: allowShape, ...options }: Options): Op {
  return ([query, key, v, value, bias]) => {
    const allow = allowShape && holes(allowShape);
    const { output, weights, lse } = additiveAttention(
      query as tf.Tensor3D,
      key as tf.Tensor3D,
      v as tf.Tensor1D,
      value as tf.Tensor3D,
      { ...options, ...(biasShape && { bias: bias! }), ...(allow && { allow }), weights: true, lse: true },
    );
    return [output, weights, tf.where(tf.isFinite(lse), lse, 0)];
  };
}

/** Every third place is hidden, and the whole first row. */
function holes(shape: number[]): tf.Tensor {
  const n = shape.reduce((product, m) => product * m, 1);
  const values = Uint8Array.from({ length: n }, (_, e) => (e < shape.at(-1)! || e % 3 === 1 ? 0 : 1));
  return tf.tensor(values, shape, "bool");
}

function inputs({ bias }: Options = {}, [b, t, s, a, dv]: readonly number[] = [B, T, S, A, DV]): Value[] {
  const made: [number[], number][] = [
    [[b!, t!, a!], 1.5],
    [[b!, s!, a!], 1.5],
    [[a!], 1],
    [[b!, s!, dv!], 1.5],
    ...(bias ? [[bias, 1] as [number[], number]] : []),
  ];
  return made.map(([shape, scale], n) => ({
    shape,
    values: numbers(
      shape.reduce((product, m) => product * m, 1),
      n + 1,
      scale,
    ),
  }));
}

/** `values` with NaN in the rows that `hidden` names. */
function spoiled({ shape, values }: Value, hidden: (b: number, n: number) => boolean): Value {
  const [, n, width] = shape as [number, number, number];
  return {
    shape,
    values: values.map((x, e) => {
      const row = Math.floor(e / width);
      return hidden(Math.floor(row / n), row % n) ? Number.NaN : x;
    }),
  };
}

/** Whichever input both gradients are of, and whether the loss is linear in the output or not. */
function refusesSecondGradients(): void {
  tf.tidy(() => {
    const options = { bias: [T, S] };
    const tensors = inputs(options).map(({ shape, values }) => tf.tensor(values, shape));
    for (const map of [(x: tf.Tensor) => x, tf.square]) {
      tensors.forEach((tensor, n) => {
        const loss = (x: tf.Tensor) =>
          tf.sum(map(opOf(options)(tensors.map((t, m) => (m === n ? x : t)))[0]!));
        const twice = () => tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.grad(loss)(x))))(tensor);
        expect(twice).toThrow(OptionError);
        expect(twice).toThrow(
          "additiveAttention: gradients of gradients are not available, got a request for one; compose that op of elementary ones of TensorFlow.js",
        );
      });
    }
  });
}

const CASES: [string, Options][] = [
  ["nothing", {}],
  ["allow for all examples, with an empty row", { allow: [T, S] }],
  ["allow by example", { allow: [B, 1, S] }],
  ["a bias", { bias: [B, T, S] }],
  ["a bias for every key alike", { bias: [T, 1] }],
  ["causality from the bottom right", { causal: "bottomRight" }],
  ["a window", { window: { left: 1, right: 0 }, queryOffset: 1 }],
  ["lengths, one of them 0", { keyLengths: [4, 0], queryLengths: [2, 3] }],
  ["a soft-cap", { softCap: 0.8 }],
  ["a sink", { sink: 0.4 }],
  ["dropout", { dropout: { rate: 0.4, seed: 3 }, training: true }],
  ["uniform empty rows", { allow: [B, T, S], onEmptyRow: "uniform" }],
  [
    "everything at once",
    {
      ...{ allow: [B, T, S], bias: [1, S], causal: true, queryOffset: 2, window: { left: 2 }, softCap: 1.5 },
      ...{
        keyLengths: [5, 4],
        queryLengths: [3, 2],
        sink: -0.3,
        dropout: { rate: 0.2, seed: 9 },
        training: true,
      },
    },
  ],
];

describe("additiveAttention composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("gives a case worked by hand", () => {
    // A = 1, v = 2, q = 0: scores 2 tanh 0 = 0 and 2 · ½ ln 3 = ln 3, so weights ¼ and ¾, output 7, lse ln 4.
    const key = tf.tensor3d([0, Math.atanh(Math.log(3) / 2)], [1, 2, 1]);
    const { output, weights, lse } = additiveAttention(
      tf.zeros([1, 1, 1]),
      key,
      tf.tensor1d([2]),
      tf.tensor3d([4, 8], [1, 2, 1]),
      { weights: true, lse: true },
    );
    expect(weights.dataSync()[0]).toBeCloseTo(0.25, 6);
    expect(output.dataSync()[0]).toBeCloseTo(7, 5);
    expect(lse.dataSync()[0]).toBeCloseTo(Math.log(4), 6);
  });

  it.each(["a bias", "everything at once"])(
    "with %s has the gradients that central differences find",
    (name) => {
      const options = CASES.find(([own]) => own === name)![1];
      const [op, values] = [opOf(options), inputs(options)];
      const { gradients } = run(op, values);
      for (const k of values.keys()) {
        // Differences of float32 sums near 10 in size: rounding 1e-6 / 2e-2, and the third derivative times 1e-4.
        expect(distance([gradients[k]!], [numericGradient(op, values, k)])).toBeLessThan(3e-3);
      }
    },
  );

  it("refuses a gradient of its gradient, which TensorFlow.js would get wrong", () =>
    refusesSecondGradients());

  const zeros = (...shape: number[]) => tf.zeros(shape);
  const refused: [string, typeof ShapeError | typeof OptionError, () => unknown, string][] = [
    [
      "a query of rank 2",
      ShapeError,
      () =>
        additiveAttention(
          zeros(3, 7) as tf.Tensor3D,
          zeros(2, 5, 7) as tf.Tensor3D,
          tf.zeros([7]),
          tf.zeros([2, 5, 11]),
        ),
      "additiveAttention: query must have rank 3, got shape [3, 7]; reshape it first",
    ],
    [
      "keys of another width",
      ShapeError,
      () => additiveAttention(tf.zeros([2, 3, 7]), tf.zeros([2, 5, 6]), tf.zeros([7]), tf.zeros([2, 5, 11])),
      "additiveAttention: key must be float32 of shape [B, S, A] = [2, 5, 7], got float32 of shape [2, 5, 6]; the letters must mean the same sizes in all of the call's tensors",
    ],
    [
      "a bias of another shape",
      ShapeError,
      () =>
        additiveAttention(tf.zeros([2, 3, 7]), tf.zeros([2, 5, 7]), tf.zeros([7]), tf.zeros([2, 5, 11]), {
          bias: tf.zeros([2, 5, 3]),
        }),
      "additiveAttention: bias must have shape [B, T, S] = [2, 3, 5], where any length may be 1, got [2, 5, 3]; reshape it so that every axis is named",
    ],
    [
      "causality without a corner",
      OptionError,
      () =>
        additiveAttention(tf.zeros([2, 3, 7]), tf.zeros([2, 5, 7]), tf.zeros([7]), tf.zeros([2, 5, 11]), {
          causal: true,
        }),
      'additiveAttention: causal: true must have T = S, got T=3 and S=5; say which corner is aligned with causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query',
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});

describe("additiveAttention on the stock wasm backend", () => {
  beforeAll(async () => void (await tf.setBackend("wasm")));
  afterAll(async () => void (await tf.setBackend("cpu")));

  it.each(CASES)("with %s equals the one on cpu", async (_, options) => {
    const [op, values] = [opOf(options), inputs(options)];
    await tf.setBackend("wasm");
    const stock = run(op, values).outputs;
    await tf.setBackend("cpu");
    expect(distance(stock, run(op, values).outputs)).toBeLessThan(5e-6);
  });
});

describe.each(BUILDS)("additiveAttention fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each(CASES)(
    "with %s equals the composed one, gradients of output, weights and lse included",
    async (_, options) => {
      const [op, values] = [opOf(options), inputs(options)];
      const { fused, composed } = await bothWays(op, values);
      // A score is a sum of 7 tanh, each right to 2⁻²²: 2e-6. Gradients sum 16 weighed outputs over 15 pairs.
      expect(distance(fused.outputs, composed.outputs)).toBeLessThan(4e-6);
      expect(distance(fused.gradients, composed.gradients)).toBeLessThan(2e-5);
    },
  );

  it.each([
    [1, 1, 1, 1, 1],
    [3, 1, 13, 16, 33],
    [1, 17, 9, 5, 4],
  ])("equals the composed one for B, T, S, A, Dv = %i, %i, %i, %i, %i", async (...sizes) => {
    const [op, values] = [opOf({ softCap: 3 }), inputs({}, sizes)];
    const { fused, composed } = await bothWays(op, values);
    expect(distance(fused.outputs, composed.outputs)).toBeLessThan(8e-6);
    expect(distance(fused.gradients, composed.gradients)).toBeLessThan(4e-5);
  });

  it("is one kernel forward and one backward", async () => {
    const [op, values] = [opOf({ bias: [T, S] }), inputs({ bias: [T, S] })];
    const { kernels } = await tf.profile(() => run(op, values).outputs.length as never);
    const own = kernels.map(({ name }) => name).filter((name) => name.startsWith("HeedAdditive"));
    // `run` asks for the outputs once, and once more for the gradients.
    expect(own).toEqual(["HeedAdditiveAttention", "HeedAdditiveAttention", "HeedAdditiveAttentionGrad"]);
    expect(kernels.some(({ name }) => name === "Tanh")).toBe(false);
  });

  it("never lets NaN out of hidden queries, keys and values", () => {
    const options: Options = { keyLengths: [2, 4], queryLengths: [3, 1] };
    const [query, key, v, value] = inputs(options) as [Value, Value, Value, Value];
    const hiddenKey = (b: number, j: number) => j >= [2, 4][b]!;
    const dirty = [
      spoiled(query, (b, i) => i >= [3, 1][b]!),
      spoiled(key, hiddenKey),
      v,
      spoiled(value, hiddenKey),
    ];
    expect(dirty.flatMap(({ values }) => values).some(Number.isNaN)).toBe(true);
    expect(run(opOf(options), dirty)).toEqual(run(opOf(options), [query, key, v, value]));
  });

  it("shows NaN where it is seen", () => {
    const [query, key, v, value] = inputs() as [Value, Value, Value, Value];
    const { outputs } = run(opOf({ causal: "topLeft" }), [
      query,
      spoiled(key, (b, j) => b === 0 && j === 1),
      v,
      value,
    ]);
    const rows = Array.from({ length: B * T }, (_, row) => outputs[0]!.slice(row * DV, (row + 1) * DV));
    expect(rows.map((row) => row.every(Number.isNaN))).toEqual([false, true, true, false, false, false]);
  });

  it("throws for an empty row where it is told to, and leaves no tensor behind", () => {
    tf.tidy(() => {
      const [query, key, v, value] = inputs().map(({ shape, values }) => tf.tensor(values, shape));
      const before = tf.memory().numTensors + heapOf(tf.backend()).backend.numDataIds();
      const options = { keyLengths: [5, 0], onEmptyRow: "error" } as const;
      expect(() =>
        additiveAttention(
          query as tf.Tensor3D,
          key as tf.Tensor3D,
          v as tf.Tensor1D,
          value as tf.Tensor3D,
          options,
        ),
      ).toThrow(
        'additiveAttention: with onEmptyRow: "error" every query must see a key, got none for example 1, head 0, query 0; allow a key there, or use onEmptyRow: "zero" or "uniform"',
      );
      expect(tf.memory().numTensors + heapOf(tf.backend()).backend.numDataIds()).toBe(before);
    });
  });

  it("refuses a gradient of its gradient", () => refusesSecondGradients());

  it("leaves no tensor behind", () => {
    expect(leaked(opOf({ bias: [T, S], allow: [T, S] }), inputs({ bias: [T, S] }))).toBe(0);
  });

  it("holds no T · S · A: a heap that has not that much room suffices, forward and backward", () => {
    // The heap grows and never shrinks, so growth is all there was at any time. T · S · A floats would be 512 MiB.
    const sizes = [1, 1024, 1024, 128, 16];
    const heap = heapOf(tf.backend()).backend as unknown as { wasm: { HEAPU8: Uint8Array } };
    const before = heap.wasm.HEAPU8.byteLength;
    tf.tidy(() => {
      const tensors = inputs({}, sizes).map(({ shape, values }) => tf.tensor(values, shape));
      const loss = (...x: tf.Tensor[]) =>
        tf.sum(
          additiveAttention(
            x[0] as tf.Tensor3D,
            x[1] as tf.Tensor3D,
            x[2] as tf.Tensor1D,
            x[3] as tf.Tensor3D,
          ).output,
        );
      for (const gradient of tf.grads(loss)(tensors))
        expect(gradient.dataSync().some((x) => x !== 0)).toBe(true);
    });
    expect(heap.wasm.HEAPU8.byteLength - before).toBeLessThan(32 * 2 ** 20);
  });
});
