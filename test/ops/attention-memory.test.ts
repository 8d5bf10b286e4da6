/** What a call takes in memory: said before it, measured after it, and how it grows. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logSlope } from "../../proofs/statistics.ts";
import type { HostArray } from "../../src/core/notation.ts";
import { attentionBackward, attention as kernelAttention } from "../../src/kernels/attention.ts";
import { init, lastCallBytes, shutdown } from "../../src/kernels/init.ts";
import type { AttentionOptions as KernelOptions } from "../../src/kernels/layout.ts";
import { attentionMemory as kernelMemory } from "../../src/kernels/memory.ts";
import {
  type AttentionMemoryOptions,
  type AttentionOptions,
  attention,
  attentionMemory,
  measureMemory,
} from "../../src/ops/index.ts";
import { floats, holes } from "../kernels/cases.ts";
import { useBuild } from "../support/kernel-build.ts";
import { inputs, tensor } from "./attention-support.ts";

const SMALL = { B: 2, T: 37, S: 53, H: 6, Hkv: 3, D: 11, Dv: 13 };
const LARGE = { B: 1, T: 401, S: 509, H: 2, Hkv: 1, D: 17, Dv: 5 };

/** Options by name, for sizes of B = 1 or 2. */
const OPTIONS: [string, (sizes: typeof SMALL) => KernelOptions][] = [
  ["nothing", () => ({})],
  ["causality and a window", () => ({ causal: "bottomRight", window: { left: 5 } })],
  ["lengths", ({ B, T, S }) => ({ queryLengths: [T, 3].slice(0, B), keyLengths: [S - 7, S].slice(0, B) })],
  ["a mask for each query", ({ T, S }) => ({ allow: holes(1, [T, S]) })],
  ["a bias for all, and a sink", ({ H, T, S }) => ({ bias: floats(2, [1, H, T, S]), sink: floats(3, [H]) })],
  ["uniform empty rows", ({ S }) => ({ allow: holes(4, [1, S]), onEmptyRow: "uniform" })],
  ["positions before heads", () => ({ layout: "bthd" })],
];

const bytesOf = (arrays: readonly (ArrayLike<number> | undefined)[]) =>
  4 * arrays.reduce((sum, array) => sum + (array?.length ?? 0), 0);

describe.each([1, 2])("attentionMemory of heed/kernels on %i threads", (threads) => {
  beforeAll(async () => void (await init({ threads })));
  afterAll(() => shutdown());

  it.each(OPTIONS)("says before a call what it takes, with %s", (_, make) => {
    for (const sizes of [SMALL, LARGE]) {
      const { B, T, S, H, Hkv, D, Dv } = sizes;
      const options = make(sizes);
      const said = kernelMemory(sizes, options);
      const [q, k, v] = [B * H * T * D, B * Hkv * S * D, B * Hkv * S * Dv].map((n) =>
        new Float32Array(n).fill(0.1),
      ) as [Float32Array, Float32Array, Float32Array];
      const { output, lse, saved } = kernelAttention(q, k, v, sizes, options);
      expect(said.forward.scratch).toBe(lastCallBytes());
      expect(said.forward.results).toBe(bytesOf([output, lse, saved.lseLow]));
      const allow = options.allow?.values.length ?? 0;
      const sink = options.sink as HostArray | undefined;
      const given = bytesOf([q, k, v, options.bias?.values as Float32Array, sink?.values]) + allow;
      expect(said.forward.inputs).toBe(given);
      expect(said.forward.peak).toBe(said.forward.inputs + said.forward.results + said.forward.scratch);
      const { dq, dk, dv, dbias, dsink } = attentionBackward(output, saved);
      expect(said.backward.scratch).toBe(lastCallBytes());
      expect(said.backward.results).toBe(bytesOf([dq, dk, dv, dbias, dsink]));
      expect(said.backward.inputs).toBe(given + bytesOf([output, lse, saved.lseLow, output]));
    }
  });

  it("counts the weights where they are asked for, and packed rows", () => {
    const plain = kernelMemory(SMALL);
    const { B, H, T, S } = SMALL;
    expect(kernelMemory(SMALL, { weights: true }).forward.results).toBe(
      plain.forward.results + 4 * B * H * T * S,
    );
    const sizes = { B: 3, H: 2, T: 31, S: 31, D: 8 };
    const options = { layout: "thd", queryLengths: [7, 20, 4], keyLengths: [7, 20, 4] } as const;
    const said = kernelMemory(sizes, options);
    const x = new Float32Array(31 * 2 * 8);
    kernelAttention(x, x, x, sizes, options);
    expect(said.forward.scratch).toBe(lastCallBytes());
    expect(said.forward.inputs).toBe(3 * 4 * x.length);
  });
});

it("refuses sizes that are none, and calls before init", async () => {
  await shutdown();
  expect(() => kernelMemory({ B: 1, H: 1, T: 1, S: 1, D: 0 })).toThrow(
    "attentionMemory: shape.D must be an integer ≥ 1, got 0",
  );
  expect(() => kernelMemory({ B: 1, H: 1, T: 1, S: 1, D: 1 })).toThrow(
    "attentionMemory: float32 kernels must be compiled before they run",
  );
});

describe("attentionMemory of tensors", () => {
  beforeAll(() => useBuild("relaxed"));

  it.each(OPTIONS)("says before a call what is measured after it, with %s", async (_, make) => {
    for (const sizes of [SMALL, LARGE]) {
      const options = make(sizes);
      const said = attentionMemory(sizes, options as AttentionMemoryOptions);
      const { bias, allow, sink, layout, ...rest } = options;
      const given = {
        ...rest,
        ...(bias && { bias: tensor(bias) }),
        ...(allow && { allow: tensor(allow) }),
        ...(sink !== undefined && { sink: tensor(sink as HostArray) }),
        ...(layout && { layout }),
      } as AttentionOptions;
      const heads = inputs(sizes);
      const [q, k, v] = (
        layout === "bthd" ? heads.map((x) => tf.transpose(x, [0, 2, 1, 3])) : heads
      ) as typeof heads;
      const measured = await measureMemory(() => attention(q, k, v, given).output);
      expect(measured.scratchBytes).toBe(said.forward.scratch);
      // The flags of empty rows are a tensor besides; TensorFlow.js counts a mask that is taken off the tape once more.
      const flags = options.onEmptyRow === "uniform" ? sizes.B * sizes.H * sizes.T : 0;
      const clone = options.allow?.values.length ?? 0;
      expect(measured.tensorBytes).toBe(said.forward.results + flags + clone);
      expect(measured.peakBytes).toBe(measured.tensorBytes + measured.scratchBytes);
      tf.dispose([
        q,
        k,
        v,
        ...heads,
        measured.result,
        ...Object.values(given).filter((x) => x instanceof tf.Tensor),
      ]);
    }
  });

  it("says what the gradients take", async () => {
    for (const sizes of [SMALL, LARGE]) {
      const said = attentionMemory(sizes);
      const [q, k, v] = inputs(sizes);
      const measured = await measureMemory(() =>
        tf.tidy(() =>
          tf.grads(
            (...x: tf.Tensor[]) =>
              attention(x[0] as tf.Tensor4D, x[1] as tf.Tensor4D, x[2] as tf.Tensor4D).output,
          )([q, k, v]),
        ),
      );
      expect(measured.scratchBytes).toBe(Math.max(said.forward.scratch, said.backward.scratch));
      const both = said.forward.results + said.backward.results;
      expect(measured.tensorBytes).toBeGreaterThanOrEqual(both);
      // What the tape holds on to is counted once more, and dout and dlse are made for the call.
      expect(measured.tensorBytes).toBeLessThanOrEqual(2 * (both + said.forward.inputs));
      tf.dispose([q, k, v, measured.result]);
    }
  });

  it("refuses other backends, which do not know before", async () => {
    await tf.setBackend("cpu");
    expect(() => attentionMemory(SMALL)).toThrow(
      'attentionMemory: the backend must be "heed", whose kernels know what they take, got "cpu"; await useHeedBackend(), or measure the call with measureMemory',
    );
    await useBuild("relaxed");
  });
});

it("fused grows with T, dense with T², and chunks with T: measured at three sizes without a window", async () => {
  const D = 16;
  const lengths = [512, 1024, 2048];
  const peak = async (n: number, options: AttentionOptions) => {
    const x = tensor(floats(1, [1, 1, n, D])) as tf.Tensor4D;
    const { peakBytes } = await measureMemory(() =>
      tf.tidy(() => void tf.grad((q) => attention(q as tf.Tensor4D, x, x, options).output)(x)),
    );
    x.dispose();
    return peakBytes;
  };
  const slope = async (options: AttentionOptions = {}) => {
    const peaks: [number, number][] = [];
    for (const n of lengths) peaks.push([n, await peak(n, options)]);
    return logSlope(peaks);
  };
  await useBuild("relaxed");
  const said = logSlope(
    lengths.map((n) => [n, attentionMemory({ B: 1, H: 1, T: n, S: n, D }).backward.peak]),
  );
  const fused = await slope();
  for (const found of [said, fused]) {
    expect(found).toBeGreaterThan(0.7);
    expect(found).toBeLessThan(1.1);
  }
  expect(
    logSlope(lengths.map((n) => [n, attentionMemory({ B: 1, H: 1, T: n, S: n, D }).densePeak])),
  ).toBeGreaterThan(1.9);
  await tf.setBackend("wasm");
  expect(await slope()).toBeGreaterThan(1.9);
  expect(await slope({ queryChunkSize: 128, keyChunkSize: 128 })).toBeLessThan(1.1);
});
