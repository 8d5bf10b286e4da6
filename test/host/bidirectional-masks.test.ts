import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { patchLayerMasks } from "../../src/host/layer-masks.ts";
import { patchTensorMethods } from "../../src/host/tensor-methods.ts";
import "../attention/support.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
  patchTensorMethods();
  patchLayerMasks();
});

const x = () =>
  tf.tensor3d([
    [
      [0.1, 0.2, 0.3],
      [0.4, 0.5, 0.6],
      [0.7, 0.8, 0.9],
      [0, 0, 0],
    ],
  ]);

function net(mergeMode: "concat" | "sum" | "ave" | "mul", returnSequences = true) {
  const layer = layers.lstm({ units: 2, returnSequences, recurrentActivation: "sigmoid" });
  return sequential({
    layers: [
      layers.masking({ inputShape: [4, 3] }),
      layers.bidirectional({ layer: layer as never, mergeMode } as never),
    ],
  });
}

it.each(["concat", "sum", "ave", "mul"] as const)(
  "merged by %s, a step that the mask hides is 0",
  (mergeMode) => {
    tf.tidy(() => {
      const model = net(mergeMode);
      const steps = (tf.unstack(tf.squeeze(model.predict(x()) as tf.Tensor)) as tf.Tensor[]).map((row) => [
        ...row.dataSync(),
      ]);
      expect(steps[3]!.every((value) => value === 0)).toBe(true);
      for (const step of steps.slice(0, 3)) expect(step.every((value) => value !== 0)).toBe(true);
      // The steps that are there are as if the hidden one were not.
      const short = sequential({ layers: [layers.inputLayer({ inputShape: [3, 3] }), model.layers[1]!] });
      const alone = short.predict(tf.slice(x(), [0, 0, 0], [1, 3, 3])) as tf.Tensor;
      alone.dataSync().forEach((value, i) => {
        expect(value).toBeCloseTo(steps.flat()[i]!, 6);
      });
    });
  },
);

it("gives the last state that was there without sequences, and both sequences unmerged", () => {
  tf.tidy(() => {
    const last = (net("concat", false).predict(x()) as tf.Tensor).dataSync();
    expect([...last].every((value) => value !== 0)).toBe(true);
    const layer = layers.lstm({ units: 2, returnSequences: true });
    const pair = layers.bidirectional({ layer: layer as never, mergeMode: null } as never);
    const mask = tf.tensor2d([[1, 1, 1, 0]], [1, 4], "bool");
    const outputs = pair.apply(x(), { mask }) as tf.Tensor[];
    expect(outputs.length).toBe(2);
    for (const y of outputs) expect([...tf.slice(y, [0, 3, 0], [1, 1, 2]).dataSync()]).toEqual([0, 0]);
  });
});
