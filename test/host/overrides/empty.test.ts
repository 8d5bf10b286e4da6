/** Reductions and scans over nothing, prelu that broadcasts, and other shapes on which stock kernels leave their tensors. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

const INT = 2 ** 31;
const { sum, prod, max, min, mean, any, all, logSumExp } = tf;
const REDUCTIONS = { sum, prod, max, min, mean, any, all, logSumExp };

describeBuilds("A reduction over an empty axis", () => {
  it.each([
    ["sum", "float32", 0],
    ["sum", "int32", 0],
    ["prod", "float32", 1],
    ["prod", "int32", 1],
    ["max", "float32", Number.NEGATIVE_INFINITY],
    ["max", "int32", -INT],
    ["min", "float32", Number.POSITIVE_INFINITY],
    ["min", "int32", INT - 1],
    ["mean", "float32", Number.NaN],
    ["any", "bool", 0],
    ["all", "bool", 1],
    ["logSumExp", "float32", Number.NEGATIVE_INFINITY],
  ] as const)("%s of %s is its neutral element", async (name, dtype, neutral) => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      // Freed memory full of other numbers.
      tf.dispose(Array.from({ length: 8 }, () => tf.fill([3], 7)));
      const x = tf.zeros([3, 0, 2], dtype);
      for (const keepDims of [false, true]) {
        const y = REDUCTIONS[name](x, 1, keepDims);
        expect(y.shape).toEqual(keepDims ? [3, 1, 2] : [3, 2]);
        expect([...y.dataSync()]).toEqual(new Array(6).fill(neutral));
      }
    });
  });
});

describeBuilds("Scans", () => {
  it("count their axis from the end, and take tensors without elements", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      expect([...tf.cumsum(x, -1).dataSync()]).toEqual([1, 3, 3, 7]);
      expect([...tf.cumprod(x, -1).dataSync()]).toEqual([1, 2, 3, 12]);
      expect(tf.cumprod(tf.zeros([3, 0, 2]), 1).shape).toEqual([3, 0, 2]);
      expect(tf.cumsum(tf.zeros([0, 3], "int32"), 1).shape).toEqual([0, 3]);
    });
  });
});

describeBuilds("prelu", () => {
  it.each([
    [
      [5, 3],
      [5, 1],
    ],
    [
      [2, 5, 3],
      [5, 1],
    ],
    [[2, 5, 3], [3]],
    [[5, 3], []],
    [
      [5, 3],
      [5, 3],
    ],
  ])("of [%s] broadcasts slopes of [%s]", async (shape, slopes) => {
    await expectLikeCpu(() => {
      const [x, alpha] = [normal(shape, 1), normal(slopes, 2)];
      return [tf.prelu(x, alpha), ...tf.grads((a, b) => tf.sum(tf.square(tf.prelu(a!, b!))))([x, alpha])];
    }, 32);
  });
});

describeBuilds("Other kernels that were wrong", () => {
  it("agree with cpu", async () => {
    await expectLikeCpu(() => {
      const image = normal([1, 5, 3, 2]) as tf.Tensor4D;
      const map = tf.tensor2d([[0.93, 0.01, -0.56, 0.06, 1.1, -0.34, 0, 0]]);
      const x = tf.tensor1d([1e30, -1e30, 1e-30, -1e-30, Number.NaN, Number.POSITIVE_INFINITY]);
      return [
        ...(["nearest", "reflect", "wrap", "constant"] as const).flatMap((fill) => [
          tf.image.transform(image, map, "nearest", fill),
          tf.image.transform(image, map, "bilinear", fill),
        ]),
        tf.sin(x),
        tf.cos(x),
        tf.tan(x),
        tf.sign(x),
        tf.relu6(x),
        tf.floorDiv(normal([3, 5], 2), tf.tensor1d([0.5, -0.25, 2, 3, -1])),
        tf.stridedSlice(normal([5, 4], 3), [0, -3], [-1, -2], [1, 1], 0, 3, 0, 0, 2),
        tf.stridedSlice(normal([5, 7, 3], 4), [4, 6], [-6, 0], [-2, -3]),
      ];
    }, 8);
  });

  it("take strings where the stock kernels end the WebAssembly module", async () => {
    await expectLikeCpu(() => {
      const x = tf.tensor2d(["a", "b", "c", "a"], [2, 2], "string");
      const codes = (t: tf.Tensor) =>
        tf.tensor1d((t.dataSync<"string">() as unknown as string[]).map((s) => s.charCodeAt(0)));
      return [tf.equal(x, tf.tensor1d(["a", "a"], "string")), tf.notEqual(x, x), codes(tf.tile(x, [2, 1]))];
    });
    await tf.setBackend(BACKEND);
    expect(() =>
      tf.tidy(() => tf.engine().runKernel("Reverse", { x: tf.tensor1d(["a"]) }, { dims: [0] })),
    ).toThrow(
      'Reverse: the backend "heed" runs this operation on numbers and truth values, and x must be of them, got strings; ' +
        "do it on another backend, or on indices of the strings",
    );
  });
});
