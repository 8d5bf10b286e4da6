/** TensorFlow.js' layers of images and of what they make. */
import { layers, type RNN } from "@tensorflow/tfjs-layers";
import { type Forms, form, ONE, WIDTH } from "../layer-harness.ts";

export const STOCK: Forms = {
  Conv1D: [
    form(() => layers.conv1d({ filters: 5, kernelSize: 2, padding: "same", activation: "relu" }), ["x"]),
  ],
  Conv2D: [
    form(() => layers.conv2d({ filters: 5, kernelSize: [3, 2], padding: "same", strides: 2 }), ["image"]),
    form(() => layers.conv2d({ filters: 3, kernelSize: 2, useBias: false }), ["image"]),
    form(() => layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", dilationRate: 2 }), ["picture"]),
  ],
  DepthwiseConv2D: [
    form(() => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: "same" }), ["image"]),
  ],
  MaxPooling1D: [form(() => layers.maxPooling1d({ poolSize: 2, padding: "same" }), ["x"])],
  MaxPooling2D: [form(() => layers.maxPooling2d({ poolSize: 2, strides: 1 }), ["image"])],
  AveragePooling1D: [form(() => layers.averagePooling1d({ poolSize: 2, strides: 1 }), ["x"])],
  AveragePooling2D: [form(() => layers.averagePooling2d({ poolSize: [2, 3], padding: "same" }), ["image"])],
  GlobalAveragePooling2D: [form(() => layers.globalAveragePooling2d({}), ["image"])],
  GlobalMaxPooling2D: [form(() => layers.globalMaxPooling2d({}), ["image"])],
  BatchNormalization: [
    form(() => layers.batchNormalization({}), ["image"], ["x"]),
    form(() => layers.batchNormalization({ scale: false, center: false }), ["x"]),
  ],
  ZeroPadding2D: [
    form(
      () =>
        layers.zeroPadding2d({
          padding: [
            [1, 2],
            [0, 3],
          ],
        }),
      ["image"],
    ),
  ],
  ReLU: [form(() => layers.reLU({}), ["x"]), form(() => layers.reLU({ maxValue: 0.5 }), ["x"])],
  LeakyReLU: [form(() => layers.leakyReLU({ alpha: 0.2 }), ["x"])],
  Softmax: [form(() => layers.softmax({ axis: -1 }), ["x"])],
  Maximum: [form(() => layers.maximum(), ["x", "x"])],
  Minimum: [form(() => layers.minimum(), ["x", "x", "x"])],
  RepeatVector: [form(() => layers.repeatVector({ n: 3 }), ["state"])],
  Masking: [form(() => layers.masking({ maskValue: 0 }), ["x"])],
  Bidirectional: [
    form(() => layers.bidirectional({ layer: layers.lstm({ units: 5 }) as RNN }), ...ONE),
    form(
      () =>
        layers.bidirectional({
          layer: layers.gru({ units: WIDTH, returnSequences: true }) as RNN,
          mergeMode: "sum",
        }),
      ...ONE,
    ),
  ],
};
