import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { softMask } from "../../../src/attention/index.ts";
import { SoftMaskAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const FEATURES = [6, 10, 3];

describeLayer(SoftMaskAttention, {
  "the masked features": { args: { seed: 1 }, inputs: [FEATURES] },
  "the context vector of sigmoids, and the mask": {
    args: { height: 1, width: 1, normalize: "sigmoid", returnMap: true, seed: 2 },
    inputs: [FEATURES],
  },
  "sums of cells": { args: { height: 3, width: 2, seed: 3 }, inputs: [FEATURES] },
});

onEveryBackend("SoftMaskAttention", () => {
  it("is softMask at the scores of a 1 × 1 convolution", () => {
    const [x] = layerInputs([FEATURES]) as [tf.Tensor4D];
    for (const normalize of ["softmax", "sigmoid"] as const) {
      const layer = new SoftMaskAttention({ height: 2, width: 5, normalize, returnMap: true, seed: 4 });
      const [output, map] = layer.apply(x) as [tf.Tensor, tf.Tensor];
      const [w, b] = layer.getWeights() as [tf.Tensor2D, tf.Tensor1D | undefined];
      const scores = tf.conv2d(x, tf.reshape(w, [1, 1, 3, 1]), 1, "same");
      const logits = tf.squeeze<tf.Tensor3D>(b ? tf.add(scores, b) : scores, [3]);
      const expected = softMask(x, { logits }, [2, 5], { normalize });
      expect(distance(output!.dataSync(), expected.output.dataSync())).toBeLessThanOrEqual(1e-5);
      expect(distance(map!.dataSync(), expected.map.dataSync())).toBeLessThanOrEqual(1e-6);
    }
  });
});
