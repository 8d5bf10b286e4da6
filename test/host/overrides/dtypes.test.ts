/** Stock kernels on the dtypes that they get wrong, and on indices that point outside. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { DETOURS } from "../../../src/host/overrides/other-dtypes.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu } from "../compare.ts";

// A multiple of four bytes and a tail, 16777217 because float32 does not hold it.
const INTEGERS = [-7, 2, -3, 16777217, 0, 5, 1, -2, 7, 3, 9];
const TRUTHS = [1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1];
const integers = () => tf.tensor1d(INTEGERS, "int32");
const truths = () => tf.tensor1d(TRUTHS, "bool");
const small = () => tf.tensor1d([-1, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8], "int32");

/** Truth values as numbers: cpu keeps 2 in a bool tensor, and what counts there is 0 or not. */
const asNumbers = (x: tf.Tensor) => (x.dtype === "bool" ? tf.cast(x, "int32") : x);

const PUBLIC: [string, (x: tf.Tensor1D) => tf.Tensor | tf.Tensor[]][] = [
  ["abs", tf.abs],
  ["clipByValue", (x) => tf.clipByValue(x, -2, 3)],
  ["floorDiv", (x) => tf.floorDiv(x, tf.cast(tf.onesLike(x), x.dtype))],
  ["isFinite", tf.isFinite],
  ["isInf", tf.isInf],
  ["isNaN", tf.isNaN],
  ["leakyRelu", (x) => tf.leakyRelu(x)],
  ["mod", (x) => tf.mod(x, tf.cast(tf.onesLike(x), x.dtype))],
  ["neg", tf.neg],
  ["relu", tf.relu],
  ["relu6", tf.relu6],
  ["reverse", (x) => tf.reverse(x)],
  ["round", tf.round],
  ["sign", tf.sign],
  ["square", tf.square],
  ["step", (x) => tf.step(x)],
  ["stridedSlice", (x) => tf.stridedSlice(tf.reshape(tf.slice(x, 1), [2, 5]), [0, 0], [2, 5], [1, 2])],
  ["topk", (x) => Object.values(tf.topk(x, 3))],
  ["max", (x) => tf.max(x)],
  ["pad", (x) => tf.pad(x, [[1, 2]])],
  ["gatherND", (x) => tf.gatherND(x, tf.tensor2d([[3], [10]], [2, 1], "int32"))],
];

describeBuilds("Stock kernels on int32 and bool", () => {
  it.each(PUBLIC)("%s", async (_, f) => {
    await expectLikeCpu(() => [f(integers()), f(truths())].flat().map(asNumbers));
  });

  it.each(
    Object.keys(DETOURS).filter((name) => !["FloorDiv", "Mod", "TopK", "Reverse", "Atan2"].includes(name)),
  )("%s gives on int32 and bool what it gives on the same numbers in float32", async (name) => {
    const run = (x: tf.Tensor) =>
      tf.engine().runKernel(name, { x }, { alpha: 0 } as never) as unknown as tf.Tensor;
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const bool = run(truths());
      const float = run(tf.cast(truths(), "float32"));
      const expected = bool.dtype === "bool" ? tf.cast(float, "bool") : float;
      expect([...bool.dataSync()]).toEqual([...expected.dataSync()]);
      const int = run(small());
      const same = tf.cast(run(tf.cast(small(), "float32")), int.dtype);
      expect([...int.dataSync()]).toEqual([...same.dataSync()]);
    });
  });
});

describeBuilds("OneHot", () => {
  it.each(["float32", "int32", "bool"] as const)(
    "of %s, indices outside give rows of offValue",
    async (dtype) => {
      await expectLikeCpu(() => {
        const ids = tf.tensor2d([0, 2, -1, 3, 1, 6], [2, 3], "int32");
        const ones = tf.oneHot(ids, 3, 1, 0, dtype);
        return dtype === "bool"
          ? ones
          : [ones, tf.oneHot(ids, 3, 7, -2, dtype), tf.oneHot(ids, 11, 1, 0, dtype)];
      });
    },
  );

  it("writes nothing behind a bool output", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const ids = tf.tensor1d([1, 0, 1], "int32");
      const shapes = Array.from({ length: 8 }, () => tf.oneHot(ids, 5, 1, 0, "bool"));
      for (const ones of shapes)
        expect([...ones.dataSync()]).toEqual([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    });
  });
});

describeBuilds("Indices and boxes outside", () => {
  const x = () => tf.tensor1d([1, 2, 3, 4, 5]);
  const at = (...ids: number[]) => tf.tensor2d(ids, [ids.length, 1], "int32");
  const REFUSED: [string, () => unknown, string][] = [
    [
      "a slice beyond the end",
      () => tf.slice(x(), [3], [4]),
      "Error in slice1D: begin[0] + size[0] (7) would overflow input.shape[0] (5)",
    ],
    [
      "gatherND of an index too large",
      () => tf.gatherND(x(), at(1, 5)),
      "gatherND: every index must be at least 0 and below 5, the size of axis 0, got 5 at position 1; check the " +
        "indices against the shape [5]",
    ],
    [
      "gatherND of a column too far that another row begins with",
      () => tf.gatherND(tf.ones([2, 3]), tf.tensor2d([0, 3], [1, 2], "int32")),
      "gatherND: every index must be at least 0 and below 3, the size of axis 1, got 3 at position 1; check the " +
        "indices against the shape [2, 3]",
    ],
    [
      "scatterND of an index below 0",
      () => tf.scatterND(at(-1), tf.ones([1]), [5]),
      "scatterND: every index must be at least 0 and below 5, the size of axis 0, got -1 at position 0; check the " +
        "indices against the shape [5]",
    ],
    [
      "sparseToDense of an index too large",
      () => tf.sparseToDense(tf.tensor1d([0, 9], "int32"), tf.ones([2]), [5], 0),
      "sparseToDense: every index must be at least 0 and below 5, the size of axis 0, got 9 at position 1; check " +
        "the indices against the shape [5]",
    ],
    [
      "tensorScatterUpdate of an index too large",
      () => tf.tensorScatterUpdate(x(), at(0, 7), tf.ones([2])),
      "tensorScatterUpdate: every index must be at least 0 and below 5, the size of axis 0, got 7 at position 1; " +
        "check the indices against the shape [5]",
    ],
    [
      "segments of another length than x",
      () => tf.unsortedSegmentSum(tf.ones([3, 2]), tf.tensor1d([0, 1, 0, 1], "int32"), 2),
      "unsortedSegmentSum: the shape of x must begin with that of segmentIds, got x [3, 2] and segmentIds [4]; give " +
        "one id for each row of x",
    ],
  ];
  it.each(REFUSED)("refuse %s", async (_, call, message) => {
    await tf.setBackend(BACKEND);
    const before = tf.memory().numDataBuffers;
    expect(() => tf.tidy(() => call() as tf.Tensor)).toThrow(message);
    expect(tf.memory().numDataBuffers).toBe(before);
  });

  it("are fine inside", async () => {
    await expectLikeCpu(() => [
      tf.gatherND(x(), at(4, 0)),
      tf.scatterND(at(4, 0), tf.tensor1d([7, 8]), [5]),
      tf.sparseToDense(tf.tensor1d([0, 4], "int32"), tf.tensor1d([7, 8]), [5], 0),
      tf.tensorScatterUpdate(x(), at(4, 0), tf.tensor1d([7, 8])),
    ]);
  });
});
