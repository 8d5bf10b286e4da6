import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { GatedCrossAttention } from "../../../src/layers/index.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [T, S, C, CM, F] = [3, 5, 6, 4, 7];
const inputs = [
  [T, C],
  [S, CM],
];

describeLayer(GatedCrossAttention, {
  "with ReLU": {
    args: { numHeads: 2, intermediateDim: F, seed: 1 },
    // A bias of keys adds the same to all scores of a query.
    ...{ inputs, still: ["key/bias"] },
  },
  "with GELU, without biases": {
    args: { numHeads: 3, intermediateDim: F, useBias: false, activation: "gelu", layerNormEpsilon: 1e-3 },
    inputs,
  },
});

onEveryBackend("GatedCrossAttention", () => {
  it("begins as the identity, bit for bit, and hides what the mask of its memory hides", () => {
    const layer = new GatedCrossAttention({ numHeads: 2, intermediateDim: F, seed: 1 });
    const [x, memory] = layerInputs(inputs) as [tf.Tensor3D, tf.Tensor3D];
    const run = (given: tf.Tensor[], masks: unknown[] = [null, null]) => [
      ...(layer.apply(given, { mask: masks } as never) as tf.Tensor).dataSync(),
    ];
    expect(run([x, memory])).toEqual([...x.dataSync()]);
    for (const weight of layer.weights.filter(({ originalName }) => originalName.endsWith("_gate")))
      weight.write(tf.scalar(1));
    expect(run([x, memory])).not.toEqual([...x.dataSync()]);
    const there = tf.tensor2d([1, 1, 0, 1, 0, 1, 0, 0, 1, 1], [2, S], "bool");
    const dirty = tf.where(tf.expandDims(there, 2), memory, Number.NaN);
    expect(run([x, dirty], [null, there])).toEqual(run([x, memory], [null, there]));
  });
});
