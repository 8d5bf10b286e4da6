import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { gaussianGlimpse } from "../../../src/attention/index.ts";
import { GaussianGlimpse } from "../../../src/layers/index.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const IMAGE = [11, 7, 3];

describeLayer(GaussianGlimpse, {
  "of an image and six numbers": { args: { height: 5, width: 2 }, inputs: [IMAGE, [6]] },
});

onEveryBackend("GaussianGlimpse", () => {
  it("is gaussianGlimpse at exp of the strides and deviations", () => {
    const [image, parameters] = layerInputs([IMAGE, [6]]) as [tf.Tensor4D, tf.Tensor2D];
    const output = new GaussianGlimpse({ height: 5, width: 2 }).apply([image, parameters]) as tf.Tensor;
    const [uy, dy, sy, ux, dx, sx] = tf.unstack(parameters, 1) as tf.Tensor1D[];
    const axis = (u: tf.Tensor1D, d: tf.Tensor1D, s: tf.Tensor1D) => ({ u, d: tf.exp(d), s: tf.exp(s) });
    const given = { y: axis(uy!, dy!, sy!), x: axis(ux!, dx!, sx!) };
    expect(output.dataSync()).toEqual(gaussianGlimpse(image, given, [5, 2]).output.dataSync());
  });

  it("refuses other than six numbers", () => {
    expect(() => new GaussianGlimpse({ height: 5, width: 2 }).apply(layerInputs([IMAGE, [5]]))).toThrow(
      "GaussianGlimpse: parameters [B, P] must have P = 6: centre, log stride and log deviation of each axis, y before " +
        "x, got P = 5; make them with a dense layer of 6 units",
    );
  });
});
