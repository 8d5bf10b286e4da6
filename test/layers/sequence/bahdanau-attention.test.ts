import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { additiveScore, attend } from "../../../src/attention/index.ts";
import { BahdanauAttention } from "../../../src/layers/index.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [T, S, CQ, CV, CK] = [3, 5, 7, 2, 11];

describeLayer(BahdanauAttention, {
  "of queries and values": {
    args: { units: 13, seed: 3 },
    inputs: [
      [T, CQ],
      [S, CV],
    ],
  },
  "with keys of their own, no bias and dropout": {
    args: { units: 4, useBias: false, dropout: 0.2, kernelRegularizer: "l2" },
    inputs: [
      [T, CQ],
      [S, CV],
      [S, CK],
    ],
  },
});

onEveryBackend("BahdanauAttention", () => {
  it("is attend with the additive score, and hides keys by the values' mask", () => {
    const [queries, values, keys] = layerInputs([
      [T, CQ],
      [S, CV],
      [S, CK],
    ]) as tf.Tensor3D[];
    const layer = new BahdanauAttention({ units: 13, seed: 1, biasInitializer: "ones" });
    const mask = tf.tensor2d([1, 1, 1, 0, 0, 1, 0, 1, 0, 1], [2, S], "bool");
    const output = layer.apply([queries!, values!, keys!], { mask: [null, mask] }) as tf.Tensor;
    const [w2, w1, b, v] = layer.getWeights() as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D, tf.Tensor1D];
    const score = additiveScore({ w1, w2, b, v });
    const given = { queries: queries!, keys: keys!, values: values!, score };
    expect(output.dataSync()).toEqual(attend({ ...given, mask: tf.expandDims(mask, 1) }).output.dataSync());
    const unmasked = layer.apply([queries!, values!, keys!]) as tf.Tensor;
    expect(unmasked.dataSync()).toEqual(attend(given).output.dataSync());
  });

  it("drops other weights at each step of training, none outside it", () => {
    const x = layerInputs([
      [T, CQ],
      [S, CV],
    ]);
    const run = (training: boolean[]) => {
      const layer = new BahdanauAttention({ units: 5, dropout: 0.5, seed: 2 });
      return training.map((flag) => [...(layer.apply(x, { training: flag }) as tf.Tensor).dataSync()]);
    };
    const [first, second, still] = run([true, true, false]);
    expect(first).not.toEqual(second);
    expect(run([false])[0]).toEqual(still);
    expect(run([true, true]).slice(0, 2)).toEqual([first, second]);
  });
});
