import * as tf from "@tensorflow/tfjs-core";
import { describe, expect } from "vitest";
import { useWebGpu } from "../../../src/host/webgpu/index.ts";
import {
  dropout,
  gatedSilu,
  gelu,
  layerNorm,
  rmsNorm,
  silu,
  softmaxCrossEntropy,
} from "../../../src/ops/index.ts";
import { rotatePairs } from "../../../src/ops/rotate-pairs.ts";
import { gpuTest } from "../../support/gpu.ts";
import { type GpuCase, normal, on, problemsOf, read, resultsOf } from "./compare.ts";

const ids = (...numbers: number[]) => tf.tensor1d(numbers, "int32");
const rows = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
  layerNorm(x, gamma as tf.Tensor1D, beta as tf.Tensor1D, { epsilon: 1e-3 });
const scaled = (x: tf.Tensor, gamma: tf.Tensor) => rmsNorm(x, gamma as tf.Tensor1D, { epsilon: 1e-3 });
const angles = (T: number, half: number) => {
  const table = (of: (x: number) => number) => normal([T, half], 9, of) as tf.Tensor2D;
  return { cos: table(Math.cos), sin: table(Math.sin) };
};
const times = (scale: number) => (x: number) => scale * x;
const turned = (shape: number[], half: number, options: Parameters<typeof rotatePairs>[2]): GpuCase => ({
  inputs: [normal(shape, 1)],
  call: (x) =>
    rotatePairs(x as tf.Tensor4D, angles(options.layout === "bthd" ? shape[1]! : shape[2]!, half), options),
});
const losses = (labels: () => tf.Tensor1D, options: () => object = () => ({})): GpuCase => ({
  inputs: [normal([5, 307], 1, times(3))],
  call: (x) => softmaxCrossEntropy(x as tf.Tensor2D, labels(), options()),
});

const CASES: Record<string, () => GpuCase> = {
  "layerNorm, rows longer than a workgroup": () => ({
    inputs: [normal([67, 131], 1), normal([131], 2), normal([131], 3)],
    call: rows,
  }),
  "layerNorm, more rows than a block of the sums": () => ({
    inputs: [normal([2, 131, 3], 1), normal([3], 2), normal([3], 3)],
    call: rows,
  }),
  "layerNorm, rows near 10⁴": () => ({
    inputs: [normal([5, 37], 1, (x) => x + 1e4), normal([37], 2), normal([37], 3)],
    call: rows,
    // The composed truth itself holds numbers near 10⁴ in float32, 2⁻¹¹ apart.
    tolerance: 1e-5,
  }),
  "layerNorm, rows whose squares overflow, and equal ones": () => ({
    inputs: [
      tf.concat([normal([3, 37], 1, times(1e30)), tf.fill([2, 37], 3e38)]),
      normal([37], 2),
      normal([37], 3),
    ],
    call: rows,
    gradients: [1, 2],
  }),
  "layerNorm, no rows": () => ({
    inputs: [normal([0, 7], 1), normal([7], 2), normal([7], 3)],
    call: rows,
    gradients: [],
  }),
  rmsNorm: () => ({ inputs: [normal([67, 131], 1), normal([131], 2)], call: scaled }),
  "rmsNorm, rows whose squares overflow": () => ({
    inputs: [normal([3, 37], 1, times(1e30)), normal([37], 2)],
    call: scaled,
    gradients: [1],
  }),
  gelu: () => ({ inputs: [normal([3, 5, 47], 1, times(4))], call: (x) => gelu(x) }),
  "gelu by tanh": () => ({
    inputs: [normal([705], 1, times(4))],
    call: (x) => gelu(x, { approximate: true }),
  }),
  silu: () => ({ inputs: [normal([705], 1, times(40))], call: (x) => silu(x) }),
  gatedSilu: () => ({
    inputs: [normal([5, 47], 1, times(4)), normal([5, 47], 2)],
    call: (gate, x) => gatedSilu(gate!, x!),
  }),
  "softmaxCrossEntropy, rows to ignore": () => losses(() => ids(3, -1, 306, 0, -7)),
  "softmaxCrossEntropy, smoothed and weighted": () =>
    losses(
      () => ids(3, -1, 306, 0, 17),
      () => ({ smoothing: 0.1, weights: tf.tensor1d([1, 2, 0.5, 3, 4]) }),
    ),
  "rotatePairs, halves": () => turned([2, 3, 5, 14], 7, { pairs: "half", layout: "bhtd" }),
  "rotatePairs, neighbours of some channels, heads after positions": () =>
    turned([2, 5, 3, 17], 7, { pairs: "interleaved", layout: "bthd" }),
  "gather, ids that come again": () => ({
    inputs: [normal([11, 7], 1)],
    call: (table) => tf.gather(table!, tf.tensor2d([1, 10, 1, 3, 1, 3], [2, 3], "int32")),
  }),
  "addN, more tensors than a pass binds": () => ({
    inputs: Array.from({ length: 17 }, (_, n) => normal([5, 7], n + 1)),
    call: (...all) => tf.addN(all),
  }),
  "pad, five axes and six": () => ({
    inputs: [normal([2, 3, 1, 5, 3], 1)],
    call: (x) => [
      tf.pad(
        x!,
        [
          [0, 1],
          [2, 0],
          [0, 0],
          [1, 3],
          [0, 2],
        ],
        0.25,
      ),
      tf.pad(tf.expandDims(x!, 2), [
        [1, 0],
        ...Array.from({ length: 4 }, (): [number, number] => [0, 0]),
        [0, 1],
      ]),
    ],
  }),
  "transpose, int32 and bool of four axes": () => ({
    inputs: [normal([2, 3, 5, 7], 1, times(9))],
    call: (x) =>
      [tf.cast(tf.floor(x!), "int32"), tf.greater(x!, 0)].map((y) => tf.transpose(y, [3, 0, 2, 1])),
    gradients: [],
  }),
  "cast, integers and truths as floats in shaders of heed and of stock": () => ({
    inputs: [normal([2, 3, 5, 7], 1, times(9))],
    call: (x) =>
      [tf.cast(tf.floor(x!), "int32"), tf.greater(x!, 0)].flatMap((y) => {
        const floats = tf.cast(y, "float32");
        return [gelu(floats), tf.transpose(floats, [0, 2, 1, 3]), floats];
      }),
    gradients: [],
  }),
  "sum of nothing": () => ({
    inputs: [normal([3, 0, 5], 1)],
    call: (x) => [tf.sum(x!), tf.sum(x!, 1), tf.sum(x!, [1, 2], true)],
    gradients: [],
  }),
  "unsortedSegmentSum, ids outside": () => ({
    inputs: [normal([5, 3], 1)],
    call: (x) => tf.unsortedSegmentSum(x!, ids(1, 1, 0, 1, 4), 6),
  }),
};

describe("heed's operations on the webgpu backend", () => {
  for (const [name, make] of Object.entries(CASES)) {
    gpuTest(`${name}: gives the results and gradients of cpu`, async () => {
      expect(await problemsOf(make)).toEqual([]);
    });
  }

  gpuTest("drops the elements that every backend drops, and their gradients", async () => {
    const make = (): GpuCase => ({
      inputs: [normal([7, 19], 1)],
      call: (x) => dropout(x!, 0.3, { seed: 2 ** 40 + 5, stream: 3 }),
    });
    const [truth, got] = [await on("cpu", make), await on("webgpu", make)];
    for (const [n, numbers] of truth.entries()) {
      expect(got[n]!.map(Number)).toHaveLength(133);
      expect([...got[n]!].map((x) => x === 0)).toEqual([...numbers].map((x) => x === 0));
    }
    expect(await problemsOf(make)).toEqual([]);
  });

  gpuTest("gives equal bits each time, and leaves no tensor or byte behind", async () => {
    await useWebGpu();
    const [x, gamma, beta] = [normal([131, 67], 1), normal([67], 2), normal([67], 3)];
    const table = normal([11, 7], 3);
    const many = tf.randomUniform([257], 0, 11, "int32", 4);
    const run = () => {
      const norm = resultsOf({ inputs: [x, gamma, beta], call: rows });
      const embedded = resultsOf({ inputs: [table], call: (t) => tf.gather(t!, many as tf.Tensor1D) });
      return read([...norm, ...embedded]);
    };
    // What is small stays in ordinary memory until a kernel of ours has read it.
    await run();
    const first = await run();
    const before = tf.memory() as tf.MemoryInfo & { numBytesInGPU: number };
    for (let n = 0; n < 3; n++) expect(await run()).toEqual(first);
    const after = tf.memory() as typeof before;
    expect([after.numTensors, after.numBytesInGPU]).toEqual([before.numTensors, before.numBytesInGPU]);
    tf.dispose([x, gamma, beta, table, many]);
  });

  gpuTest("computes more elements than one row of workgroups holds", async () => {
    await useWebGpu();
    const n = 65535 * 128 + 77;
    const x = tf.fill([n], -1);
    const out = gelu(x);
    const numbers = await tf.slice(out, [n - 80], [80]).data();
    // ½·(1 + erf(−1/√2)) is 0.158655.
    for (const number of numbers) expect(number).toBeCloseTo(-0.158655, 6);
    tf.dispose([x, out]);
  });
});
