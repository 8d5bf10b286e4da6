import type * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { drawParameters, drawRead, drawWrite } from "../../../src/attention/index.ts";
import { DrawRead, DrawWrite } from "../../../src/layers/index.ts";
import { linear } from "../../../src/ops/index.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [IMAGE, PATCH, STATE] = [[7, 11, 2], [3, 5, 2], [13]];

describeLayer(DrawRead, {
  "of an image and a state": { args: { height: 3, width: 5, seed: 1 }, inputs: [IMAGE, STATE] },
  "with a regularizer": {
    args: { height: 2, width: 2, kernelInitializer: "heNormal", kernelRegularizer: "l2" },
    inputs: [IMAGE, STATE],
  },
});
describeLayer(DrawWrite, {
  "of a patch and a state": { args: { height: 7, width: 11, seed: 1 }, inputs: [PATCH, STATE] },
});

onEveryBackend("DrawRead and DrawWrite", () => {
  it("are drawRead and drawWrite at the numbers of a dense layer", () => {
    const [image, state] = layerInputs([IMAGE, STATE]) as [tf.Tensor4D, tf.Tensor2D];
    const [patch] = layerInputs([PATCH], 2, 5) as [tf.Tensor4D];
    const read = new DrawRead({ height: 3, width: 5, seed: 2, biasInitializer: "ones" });
    const write = new DrawWrite({ height: 7, width: 11, seed: 2, biasInitializer: "ones" });
    const numbers = (layer: DrawRead | DrawWrite) => {
      const [w, b] = layer.getWeights() as [tf.Tensor2D, tf.Tensor1D];
      return drawParameters(linear(state, w, b));
    };
    const patches = read.apply([image, state]) as tf.Tensor;
    expect(patches.dataSync()).toEqual(drawRead(image, numbers(read), [3, 5]).output.dataSync());
    const canvas = write.apply([patch, state]) as tf.Tensor;
    expect(canvas.dataSync()).toEqual(drawWrite(patch, numbers(write), [7, 11]).output.dataSync());
  });
});
