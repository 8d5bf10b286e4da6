/** Layers of sets: what every layer promises, and the numbers of their mechanisms. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { InducedSetAttention, SlotAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend, ROUNDING } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [S, C, F] = [5, 6, 7];
const inputs = [[S, C]];

describeLayer(InducedSetAttention, {
  "post-norm, ReLU": {
    args: { inducingPoints: 3, numHeads: 2, intermediateDim: F, seed: 1 },
    ...{ inputs, still: ["key/bias"] },
  },
  "pre-norm, GELU, without biases": {
    args: {
      ...{ inducingPoints: 2, numHeads: 3, intermediateDim: F, useBias: false },
      ...{ normalizeFirst: true, activation: "gelu", kernelRegularizer: "l2" },
    },
    inputs,
  },
});
describeLayer(SlotAttention, {
  "of one iteration": { args: { slots: 3, slotDim: 2, intermediateDim: F, iterations: 1, seed: 1 }, inputs },
  "with its weights": {
    args: { slots: 2, slotDim: 5, intermediateDim: F, seed: 2, returnAttention: true },
    inputs,
  },
});

onEveryBackend("layers of sets", () => {
  const hole = () => tf.tensor2d([1, 0, 1, 1, 0, 1, 1, 1, 0, 1], [2, S], "bool");
  const turn = (t: tf.Tensor) => tf.reverse(t, 1);

  it("permute with the set, or do not notice, and see nothing that a mask hides", () => {
    const [x] = layerInputs(inputs) as [tf.Tensor3D];
    const induced = new InducedSetAttention({ inducingPoints: 3, numHeads: 2, intermediateDim: F, seed: 1 });
    const slots = new SlotAttention({ slots: 3, slotDim: 4, intermediateDim: F, seed: 1 });
    const run = (layer: InducedSetAttention | SlotAttention, given: tf.Tensor, mask?: tf.Tensor) =>
      (layer.apply(given, mask && ({ mask } as never)) as tf.Tensor).dataSync();
    const straight = turn(induced.apply(x) as tf.Tensor).dataSync();
    expect(distance(run(induced, turn(x)), straight)).toBeLessThanOrEqual(256 * ROUNDING);
    expect(distance(run(slots, turn(x)), run(slots, x))).toBeLessThanOrEqual(256 * ROUNDING);
    const dirty = tf.where(tf.expandDims(hole(), 2), x, Number.NaN);
    for (const layer of [induced, slots]) {
      expect([...run(layer, dirty, hole())]).toEqual([...run(layer, x, hole())]);
      expect(run(layer, x, hole())).not.toEqual(run(layer, x));
    }
  });

  it("slots begin otherwise at each step of training, and alike outside it", () => {
    const [x] = layerInputs(inputs) as [tf.Tensor3D];
    const layer = new SlotAttention({ slots: 3, slotDim: 4, intermediateDim: F, seed: 1 });
    const run = (training: boolean) => [...(layer.apply(x, { training } as never) as tf.Tensor).dataSync()];
    expect(run(false)).toEqual(run(false));
    expect(run(true)).not.toEqual(run(true));
  });

  it("refuses another width than its heads divide", () => {
    const [x] = layerInputs(inputs) as [tf.Tensor3D];
    const layer = new InducedSetAttention({ inducingPoints: 3, numHeads: 4, intermediateDim: F });
    expect(() => layer.apply(x)).toThrow(
      "InducedSetAttention: numHeads must be a divisor of the width C=6 of x, got 4; every head reads C/numHeads of it",
    );
  });
});
