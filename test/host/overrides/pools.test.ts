/** Windows that hold negative numbers only, or one pixel, or padding. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

const negative = (shape: number[], seed = 1) => tf.sub(tf.neg(tf.abs(normal(shape, seed))), 0.01);

describeBuilds("maxPool", () => {
  it("sends the gradient to the largest number of a window, also where all are negative", async () => {
    await tf.setBackend(BACKEND);
    const rows = [
      [0, 1.23, 2.25, 2.87],
      [2.98, 2.56, 1.7, 0.53],
      [-0.73, -1.86, -2.66, -3],
      [-2.8, -2.11, -1.04, 0.2],
    ];
    const grad = tf.tidy(() => {
      const x = tf.tensor4d(rows.flat(), [1, 4, 4, 1]);
      const dy = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
      return tf
        .grad((a) => tf.sum(tf.mul(tf.maxPool(a as tf.Tensor4D, 2, 2, "valid"), dy)))(x)
        .dataSync();
    });
    expect([...grad]).toEqual([0, 0, 0, 2, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4]);
  });

  it("of one pixel in a padding has the padding's −∞ around it, and of one with a stride every other pixel", async () => {
    await expectLikeCpu(() => [
      tf.maxPool(normal([1, 3, 5, 2]) as tf.Tensor4D, 1, 1, 1),
      tf.maxPool(normal([2, 5, 7, 3]) as tf.Tensor4D, 1, 2, "valid"),
      tf.avgPool(normal([2, 5, 7, 3]) as tf.Tensor4D, 1, 2, "valid"),
    ]);
  });

  it("with places, and in space, knows negative numbers", async () => {
    await expectLikeCpu(() => {
      const x = negative([2, 5, 7, 3]) as tf.Tensor4D;
      const { result, indexes } = tf.maxPoolWithArgmax(x, [2, 3], [2, 1], "same", true);
      const cube = negative([2, 5, 4, 7, 3], 2) as tf.Tensor5D;
      const loss = (a: tf.Tensor) => tf.sum(tf.square(tf.maxPool3d(a as tf.Tensor5D, 2, 2, "same")));
      return [result, indexes, tf.maxPool3d(cube, 2, 2, "same"), tf.grad(loss)(cube)];
    });
  });
});

describeBuilds("dilation2d", () => {
  it("knows sums that are negative, values and gradients", async () => {
    await expectLikeCpu(() => {
      const x = negative([2, 5, 7, 3]) as tf.Tensor4D;
      const filter = negative([2, 3, 3], 2) as tf.Tensor3D;
      const run = (a: tf.Tensor, f: tf.Tensor) =>
        tf.dilation2d(a as tf.Tensor4D, f as tf.Tensor3D, [1, 2], "same");
      return [run(x, filter), ...tf.grads((a, f) => tf.sum(tf.square(run(a!, f!))))([x, filter])];
    }, 64);
  });
});

describeBuilds("conv3d", () => {
  it("has gradients with strides, and so has conv3dTranspose values", async () => {
    await expectLikeCpu(
      () => {
        const x = normal([2, 5, 4, 7, 2]) as tf.Tensor5D;
        const filter = normal([2, 3, 2, 2, 3], 2) as tf.Tensor5D;
        const run = (a: tf.Tensor, f: tf.Tensor) =>
          tf.conv3d(a as tf.Tensor5D, f as tf.Tensor5D, [2, 1, 3], "same");
        const small = normal([1, 3, 2, 2, 3], 3) as tf.Tensor5D;
        return [
          ...tf.grads((a, f) => tf.sum(tf.square(run(a!, f!))))([x, filter]),
          tf.conv3dTranspose(small, filter, [1, 6, 4, 5, 2], [2, 1, 3], "valid"),
        ];
      },
      2 * 5 * 4 * 7,
    );
  });
});
