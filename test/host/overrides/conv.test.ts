import * as tf from "@tensorflow/tfjs-core";
import { expect, it, vi } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { heapOf } from "../../../src/host/heap.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

const GEOMETRIES = [
  { strides: 1, pad: "same", filter: [3, 3] },
  { strides: 2, pad: "same", filter: [3, 5] },
  { strides: [2, 3], pad: "valid", filter: [2, 3] },
  { strides: 2, pad: 2, filter: [3, 3] },
  { strides: 1, pad: "valid", filter: [1, 1] },
] as const;

const strided = (strides: number | readonly [number, number]) => strides as number | [number, number];

describeBuilds("Gradients of convolutions", () => {
  it.each(GEOMETRIES)("conv2d with %j", async ({ strides, pad, filter }) => {
    await expectLikeCpu(
      () => {
        const x = normal([3, 11, 13, 5], 1) as tf.Tensor4D;
        const w = normal([...filter, 5, 7], 2) as tf.Tensor4D;
        const loss = (a: tf.Tensor, b: tf.Tensor) =>
          tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strided(strides), pad)));
        return tf.grads(loss)([x, w]);
      },
      3 * 11 * 13,
    );
  });

  it.each(GEOMETRIES)(
    "depthwiseConv2d with %j, one and three outputs per channel",
    async ({ strides, pad, filter }) => {
      for (const multiplier of [1, 3]) {
        await expectLikeCpu(
          () => {
            const x = normal([2, 11, 13, 7], 1) as tf.Tensor4D;
            const w = normal([...filter, 7, multiplier], 2) as tf.Tensor4D;
            const loss = (a: tf.Tensor, b: tf.Tensor) =>
              tf.sum(
                tf.square(tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, strided(strides), pad)),
              );
            return tf.grads(loss)([x, w]);
          },
          2 * 11 * 13,
        );
      }
    },
  );

  // cpu's depthwise kernels ignore dilations, so the oracle is the definition of a gradient: the convolution is
  // linear in x and in the filter, hence <dy, conv(x, w)> = <x, dx> = <w, dw>.
  it("of a dilated depthwise filter are the adjoints of the convolution", async () => {
    const attrs = { strides: [1, 1], pad: "same", dilations: [2, 3], dimRoundingMode: undefined };
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const shape: [number, number, number, number] = [2, 9, 11, 5];
      const [x, dy] = [normal(shape, 1) as tf.Tensor4D, normal(shape, 2)];
      const w = normal([3, 3, 5, 1], 3) as tf.Tensor4D;
      const run = (name: string, inputs: tf.NamedTensorMap, more: object) =>
        tf.engine().runKernel(name, inputs, { ...attrs, ...more } as never) as tf.Tensor;
      const dw = run("DepthwiseConv2dNativeBackpropFilter", { x, dy }, { filterShape: w.shape });
      const dx = run("DepthwiseConv2dNativeBackpropInput", { dy, filter: w }, { inputShape: shape });
      const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0]!;
      const whole = dot(dy, tf.depthwiseConv2d(x, w, 1, "same", "NHWC", [2, 3]));
      expect(Math.abs(whole)).toBeGreaterThan(1);
      expect(dot(x, dx)).toBeCloseTo(whole, 3);
      expect(dot(w, dw)).toBeCloseTo(whole, 3);
    });
  });

  it("of channels-first images agree with those of channels-last ones", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const attrs = { strides: [1, 1], pad: "same", filterShape: [3, 3, 5, 7] };
      const x = normal([2, 9, 11, 5], 1);
      const dy = normal([2, 9, 11, 7], 2);
      const first = (t: tf.Tensor) => tf.transpose(t, [0, 3, 1, 2]);
      const run = (inputs: tf.NamedTensorMap, dataFormat: string) =>
        tf.engine().runKernel("Conv2DBackpropFilter", inputs, { ...attrs, dataFormat } as never) as tf.Tensor;
      const last = run({ x, dy }, "NHWC");
      expect([...run({ x: first(x), dy: first(dy) }, "NCHW").dataSync()]).toEqual([...last.dataSync()]);
      const inputGradient = (d: tf.Tensor, inputShape: number[], dataFormat: string) => {
        const inputs = { dy: d, filter: normal([3, 3, 5, 7], 3) };
        const more = { strides: [1, 1], pad: "same", inputShape, dataFormat };
        return tf.engine().runKernel("Conv2DBackpropInput", inputs, more as never) as tf.Tensor;
      };
      const dx = inputGradient(dy, [2, 9, 11, 5], "NHWC");
      const dxFirst = inputGradient(first(dy), [2, 5, 9, 11], "NCHW");
      expect([...dxFirst.dataSync()]).toEqual([...first(dx).dataSync()]);
    });
  });

  it("are conv2dTranspose, and refuse an outputShape that x is no convolution of", async () => {
    const x = () => normal([2, 6, 7, 5], 1) as tf.Tensor4D;
    const w = () => normal([3, 3, 4, 5], 2) as tf.Tensor4D;
    const transposed = (batch: number, height: number) =>
      tf.conv2dTranspose(x(), w(), [batch, height, 13, 4], 2, "same");
    await expectLikeCpu(() => [transposed(2, 11), transposed(2, 12)], 3 * 3 * 5);
    await tf.setBackend(BACKEND);
    for (const [batch, height, outputs] of [
      [3, 11, 6],
      [2, 13, 7],
      [2, 5, 3],
    ] as const) {
      expect(() => tf.tidy(() => transposed(batch, height))).toThrow(
        `conv2d gradient: dy must have the output's shape [${batch}, ${outputs}, 7, 5] of an input ` +
          `[${batch}, ${height}, 13, 4], got [2, 6, 7, 5]; correct the shape of dy, which is x of conv2dTranspose, or ` +
          "that of the input, its outputShape",
      );
    }
  });

  it.each([
    ["Conv2DBackpropFilter", "conv2d", "filterShape", [3, 3, 5, 7]],
    ["Conv2DBackpropInput", "conv2d", "inputShape", [2, 9, 11, 5]],
    ["DepthwiseConv2dNativeBackpropFilter", "depthwiseConv2d", "filterShape", [3, 3, 5, 2]],
    ["DepthwiseConv2dNativeBackpropInput", "depthwiseConv2d", "inputShape", [2, 9, 11, 5]],
  ])("%s refuses a dy and a filter of other shapes", async (name, op, attribute, shape) => {
    await tf.setBackend(BACKEND);
    const depthwise = op === "depthwiseConv2d";
    const run = (dyShape: number[], filterShape: number[]) =>
      tf.tidy(() => {
        const x = normal([2, 9, 11, 5]);
        const filter = normal(filterShape);
        const inputs: tf.NamedTensorMap = name.endsWith("Filter")
          ? { x, dy: normal(dyShape) }
          : { dy: normal(dyShape), filter };
        const value = attribute === "filterShape" ? filterShape : shape;
        const attrs = { strides: [1, 1], pad: "same", [attribute]: value };
        tf.engine().runKernel(name, inputs, attrs as never);
      });
    const [outputs, multiplier] = depthwise ? [10, 2] : [7, 7];
    run([2, 9, 11, outputs], [3, 3, 5, multiplier]);
    for (const wrong of [
      [1, 9, 11, outputs],
      [2, 8, 11, outputs],
      [2, 9, 11, 1],
    ]) {
      expect(() => run(wrong, [3, 3, 5, multiplier])).toThrow(
        `${op} gradient: dy must have the output's shape [2, 9, 11, ${outputs}] of an input [2, 9, 11, 5], got ` +
          `[${wrong.join(", ")}]`,
      );
    }
    if (depthwise) return;
    expect(() => run([2, 9, 11, outputs], [3, 3, 4, multiplier])).toThrow(
      "conv2d gradient: the filter must have the input's 5 channels, got [3, 3, 4, 7]; use the filter of the forward " +
        "convolution",
    );
  });

  it("of an image whose patches fit only some rows at a time add up, strided and padded", async () => {
    for (const [strides, pad] of [
      [1, "same"],
      [2, 1],
    ] as const) {
      await expectLikeCpu(
        () => {
          const x = normal([2, 61, 59, 24], 1) as tf.Tensor4D;
          const w = normal([3, 3, 24, 2], 2) as tf.Tensor4D;
          const loss = (a: tf.Tensor, f: tf.Tensor) =>
            tf.sum(tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, strides, pad));
          return tf.grads(loss)([x, w]);
        },
        2 * 61 * 59,
      );
    }
  });

  it("of a large image take no scratch of its size", async () => {
    await tf.setBackend(BACKEND);
    const scratch = vi.spyOn(heapOf(tf.backend()), "scratch");
    tf.tidy(() => {
      const inputs = { x: tf.zeros([1, 256, 256, 16]), dy: tf.zeros([1, 256, 256, 1]) };
      const attrs = { strides: [1, 1], pad: "same", filterShape: [3, 3, 16, 1] };
      tf.engine().runKernel("Conv2DBackpropFilter", inputs, attrs as never);
    });
    // All its patches are 38 MB.
    expect(Math.max(...scratch.mock.calls.map(([, bytes]) => bytes))).toBeLessThan(2 ** 22);
    scratch.mockRestore();
  });

  it("of more images than fit in one group add up", async () => {
    await expectLikeCpu(
      () => {
        const x = normal([5, 40, 40, 16], 1) as tf.Tensor4D;
        const w = normal([3, 3, 16, 2], 2) as tf.Tensor4D;
        const loss = (a: tf.Tensor, f: tf.Tensor) =>
          tf.sum(tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, 1, "same"));
        return tf.grads(loss)([x, w]);
      },
      5 * 40 * 40,
    );
  });

  it("are refused with a padding on which the stock forward kernel leaves its output", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const x = normal([1, 11, 13, 5]) as tf.Tensor4D;
      const cases = [
        ["conv2d", () => tf.conv2d(x, normal([5, 1, 5, 7]) as tf.Tensor4D, 1, 2)],
        ["depthwiseConv2d", () => tf.depthwiseConv2d(x, normal([5, 1, 5, 1]) as tf.Tensor4D, 1, 2)],
        [
          "fused.conv2d",
          () => tf.fused.conv2d({ x, filter: normal([5, 1, 5, 7]) as tf.Tensor4D, strides: 1, pad: 2 }),
        ],
      ] as const;
      for (const [op, call] of cases) {
        expect(call).toThrow(
          `${op}: padding 2 must give the 11×17 output of its filter and strides, got 11×13 from TensorFlow.js, which ` +
            'counts only the filter\'s height; apply tf.pad to x and use "valid"',
        );
      }
    });
  });
});
