/** With the imports that the README recommends, and no others. */
import "../../src/host/backend.ts";
import * as tf from "@tensorflow/tfjs-core";
import { input, layers, metrics, model } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { patchTensorMethods } from "../../src/host/tensor-methods.ts";

beforeAll(() => tf.setBackend("heed"));

it("layers.lstm makes its recurrent weights orthogonal", () => {
  tf.tidy(() => {
    const layer = layers.lstm({ units: 2 });
    expect((layer.apply(tf.ones([1, 3, 2])) as tf.Tensor).shape).toEqual([1, 2]);
    const U = layer.getWeights()[1]!;
    // [2, 8]: more columns than rows, so the rows are orthogonal.
    const products = tf.matMul(U, U, false, true).dataSync();
    [1, 0, 0, 1].forEach((want, i) => {
      expect(products[i]).toBeCloseTo(want, 5);
    });
  });
});

const initializers = [
  "orthogonal",
  "glorotNormal",
  "heUniform",
  "identity",
  "randomNormal",
  "truncatedNormal",
] as const;
const images = () => tf.randomNormal([2, 6, 6, 2], 0, 1, "float32", 1);
const words = () => tf.randomNormal([2, 5, 4], 0, 1, "float32", 1);

it.each(initializers)("the initialiser %s works", (kernelInitializer) => {
  tf.tidy(() => {
    const layer = layers.dense({ units: 4, kernelInitializer });
    expect((layer.apply(tf.ones([2, 4])) as tf.Tensor).shape).toEqual([2, 4]);
  });
});

it.each<[string, () => { apply: (x: tf.Tensor) => unknown }, () => tf.Tensor]>([
  ["gru", () => layers.gru({ units: 3, returnSequences: true }) as never, words],
  ["simpleRNN", () => layers.simpleRNN({ units: 3 }) as never, words],
  [
    "bidirectional",
    () => layers.bidirectional({ layer: layers.lstm({ units: 3 }) as never }) as never,
    words,
  ],
  ["conv1d", () => layers.conv1d({ filters: 3, kernelSize: 2 }) as never, words],
  ["conv2d", () => layers.conv2d({ filters: 3, kernelSize: 2 }) as never, images],
  ["separableConv2d", () => layers.separableConv2d({ filters: 3, kernelSize: 2 }) as never, images],
  ["conv2dTranspose", () => layers.conv2dTranspose({ filters: 3, kernelSize: 2 }) as never, images],
  [
    "cropping2D",
    () =>
      layers.cropping2D({
        cropping: [
          [1, 1],
          [1, 1],
        ],
      }) as never,
    images,
  ],
  ["upSampling2d", () => layers.upSampling2d({ size: [2, 2] }) as never, images],
  ["zeroPadding2d", () => layers.zeroPadding2d({}) as never, images],
  ["batchNormalization", () => layers.batchNormalization({}) as never, images],
  ["layerNormalization", () => layers.layerNormalization({}) as never, words],
  ["globalAveragePooling1d", () => layers.globalAveragePooling1d({}) as never, words],
  ["repeatVector", () => layers.repeatVector({ n: 3 }) as never, () => tf.ones([2, 4])],
  ["permute", () => layers.permute({ dims: [2, 1] }) as never, words],
  [
    "timeDistributed",
    () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) as never }) as never,
    words,
  ],
  ["prelu", () => layers.prelu({}) as never, words],
])("the layer %s runs", (_, layer, x) => {
  tf.tidy(() => {
    const y = layer().apply(x()) as tf.Tensor;
    expect([...y.dataSync()].every(Number.isFinite)).toBe(true);
  });
});

it("convolutional recurrent layers, and training with gather, run", async () => {
  const frames = input({ shape: [3, 5, 5, 2] });
  const y = layers.convLstm2d({ filters: 2, kernelSize: 3, padding: "same" } as never).apply(frames);
  const net = model({ inputs: frames, outputs: layers.flatten().apply(y as never) as never });
  net.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const [x, target] = [tf.ones([2, 3, 5, 5, 2]), tf.zeros([2, 50])];
  expect(Number.isFinite(await net.trainOnBatch(x, target))).toBe(true);
  tf.dispose([x, target]);
  net.dispose();
});

it("the metric r2Score works", () => {
  tf.tidy(() => {
    expect(metrics.r2Score(tf.tensor1d([1, 2, 4]), tf.tensor1d([1, 2, 3])).dataSync()[0]).toBeCloseTo(
      1 - 3 / 14,
      5,
    );
  });
});

it("methods that are there stay", () => {
  const prototype = tf.Tensor.prototype as unknown as Record<string, unknown>;
  const ours = prototype.flatten;
  prototype.flatten = "theirs";
  patchTensorMethods();
  expect(prototype.flatten).toBe("theirs");
  prototype.flatten = ours;
  expect(Object.keys(prototype)).not.toContain("split");
});
