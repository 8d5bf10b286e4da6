import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { sentinelGate, visualSentinel } from "../../../src/attention/index.ts";
import { SentinelGate, VisualSentinel } from "../../../src/layers/index.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [T, S, CQ, C, E] = [3, 5, 7, 11, 2];
const inputs = [
  [T, CQ],
  [S, C],
  [T, C],
];

describeLayer(VisualSentinel, {
  "of states, features and sentinels": { args: { units: 13, seed: 3 }, inputs },
  "with its β, dropout and a regularizer": {
    args: { units: 4, returnBeta: true, dropout: 0.2, kernelRegularizer: "l2" },
    inputs,
  },
});

describeLayer(SentinelGate, {
  "of a sequence": {
    args: {},
    inputs: [
      [T, E],
      [T, C],
      [T, C],
    ],
  },
  "of one step": { args: { kernelInitializer: "heNormal" }, inputs: [[E], [C], [C]] },
});

onEveryBackend("VisualSentinel", () => {
  it("is visualSentinel with its weights, and hides features by their mask", () => {
    const [h, v, s] = layerInputs(inputs) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const layer = new VisualSentinel({ units: 13, seed: 1, returnBeta: true });
    const mask = tf.tensor2d([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [2, S], "bool");
    const [output, beta] = layer.apply([h, v, s], { mask: [null, mask, null] }) as tf.Tensor[];
    const [wv, wg, ws, wh] = layer.getWeights() as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const expected = visualSentinel(h, v, s, { wv, wg, ws, wh }, { allow: tf.expandDims(mask, 1) });
    expect(output!.dataSync()).toEqual(expected.output.dataSync());
    expect(beta!.dataSync()).toEqual(expected.beta.dataSync());
    expect([...beta!.dataSync().subarray(T)]).toEqual([1, 1, 1]);
  });

  it("takes its sentinels from SentinelGate, which is sentinelGate with its weights", () => {
    const [x, h, m] = layerInputs([
      [T, E],
      [T, C],
      [T, C],
    ]) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const gate = new SentinelGate({ seed: 1 });
    const sentinels = gate.apply([x, h, m]) as tf.Tensor;
    const [wx, wh] = gate.getWeights() as [tf.Tensor2D, tf.Tensor2D];
    expect(sentinels.dataSync()).toEqual(sentinelGate(x, h, m, { wx, wh }).dataSync());
  });
});
