import * as tf from "@tensorflow/tfjs-core";
import { describe, expect } from "vitest";
import { useWebGpu } from "../../../src/host/webgpu/index.ts";
import { attention } from "../../../src/ops/index.ts";
import { gpuTest } from "../../support/gpu.ts";
import { type GpuCase, normal, problemsOf, read, resultsOf } from "./compare.ts";

const [B, H, Hkv, T, S, D, Dv] = [2, 6, 3, 7, 37, 5, 3];
const shapes = [
  [B, H, T, D],
  [B, Hkv, S, D],
  [B, Hkv, S, Dv],
];

describe("attention on the webgpu backend", () => {
  /** With every kind of option at once. */
  const make = (): GpuCase => ({
    inputs: [...shapes.map((shape, n) => normal(shape, n + 1)), normal([1, H, T, 1], 7), normal([H], 8)],
    call: (q, k, v, bias, sink) => {
      const { output, lse, weights } = attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
        ...{ bias: bias!, sink: sink as tf.Tensor1D, softCap: 3, keyLengths: [S, 11], training: true },
        ...{ dropout: { rate: 0.3, seed: 5 }, lse: true, weights: true },
      });
      return [output, lse, weights];
    },
    tolerance: 1e-5,
  });

  gpuTest("gives cpu's output, lse, weights, and the gradients of all that it reads", async () => {
    expect(await problemsOf(make)).toEqual([]);
  });

  gpuTest("gives equal bits each time", async () => {
    await useWebGpu();
    const one = make();
    const first = await read(resultsOf(one));
    expect(await read(resultsOf(one))).toEqual(first);
    tf.dispose([...one.inputs]);
  });

  gpuTest("runs functions of scores, with the gradients of what they read", async () => {
    const make = (): GpuCase => ({
      inputs: [...shapes.map((shape, n) => normal(shape, n + 1)), normal([H], 9)],
      call: (q, k, v, slopes) =>
        attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
          scoreMod: (score, { h, q: i, k: j }, { slopes }) => score.sub(slopes!.at(h).mul(i.sub(j).abs())),
          tensors: { slopes: slopes! },
        }).output,
      tolerance: 1e-5,
    });
    expect(await problemsOf(make)).toEqual([]);
  });

  gpuTest("refuses to look for empty rows, and finds those of lengths", async () => {
    await useWebGpu();
    const [q, k, v] = shapes.map((shape, n) => normal(shape, n + 1)) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    const onEmptyRow = "error";
    const before = tf.memory().numTensors;
    const bias = tf.zeros([T, S]);
    expect(() => tf.tidy(() => attention(q, k, v, { bias, onEmptyRow }))).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
    expect(() => tf.tidy(() => attention(q, k, v, { keyLengths: [S, 0], onEmptyRow }))).toThrow(
      expect.objectContaining({ code: "EMPTY_ROW" }),
    );
    bias.dispose();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([q, k, v]);
  });
});
