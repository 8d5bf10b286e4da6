import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { sampledAttention } from "../../../src/attention/index.ts";
import { fromHeads, toHeads } from "../../../src/attention/sequence/project.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { HardAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [T, S, C, CV, CK] = [3, 5, 7, 2, 11];
const inputs = [
  [T, C],
  [S, CV],
];

describeLayer(HardAttention, {
  "of queries and values, by Gumbel-softmax": {
    args: { numHeads: 2, keyDim: 3, seed: 3 },
    inputs,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim"] },
    // A bias of the keys moves all scores of a query alike.
    still: ["key/bias"],
  },
  "with keys of their own, causal, straight-through": {
    args: {
      numHeads: 2,
      keyDim: 3,
      valueDim: 4,
      useBias: false,
      useCausalMask: true,
      estimator: "straightThrough",
      seed: 5,
    },
    inputs: [
      [T, C],
      [S, CV],
      [S, CK],
    ],
  },
});

onEveryBackend("HardAttention", () => {
  it("is sampledAttention of its projections at inference, hides what masks hide, and lets NaN there reach nothing", () => {
    const [query, value] = layerInputs(inputs) as [tf.Tensor3D, tf.Tensor3D];
    const layer = new HardAttention({ numHeads: 2, keyDim: 3, seed: 1 });
    const seen = tf.tensor2d([1, 0, 1, 1, 0, 0, 0, 0, 0, 0], [2, S], "bool");
    const mask = [null, seen];
    const clean = layer.apply([query, value], { mask }) as tf.Tensor;
    tf.tidy(() => {
      const [wq, bq, wk, bk, wv, bv, wo, bo] = layer.getWeights() as tf.Tensor[];
      const heads = (x: tf.Tensor3D, w: tf.Tensor, b: tf.Tensor) =>
        tf.transpose(toHeads(x, w as tf.Tensor3D, b as tf.Tensor2D), [0, 2, 1, 3]) as tf.Tensor4D;
      const { output } = sampledAttention(
        heads(query, wq!, bq!),
        heads(value, wk!, bk!),
        heads(value, wv!, bv!),
        {
          allow: tf.reshape(seen, [2, 1, 1, S]),
        },
      );
      const rows = tf.transpose(output, [0, 2, 1, 3]) as tf.Tensor4D;
      const expected = fromHeads(rows, wo as tf.Tensor3D, bo as tf.Tensor1D);
      expect(distance(clean.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-5);
      const dirty = layer.apply([query, tf.where(tf.expandDims(seen, 2), value, Number.NaN)], {
        mask,
      }) as tf.Tensor;
      expect(dirty.dataSync()).toEqual(clean.dataSync());
    });
  });

  it.each(["gumbelSoftmax", "straightThrough"] as const)(
    "draws with %s in training, another key at each step, and the same for the same seed",
    (estimator) => {
      const x = layerInputs(inputs);
      const run = (training: boolean[]) => {
        const layer = new HardAttention({ numHeads: 2, keyDim: 3, estimator, seed: 2 });
        return training.map((flag) => [...(layer.apply(x, { training: flag }) as tf.Tensor).dataSync()]);
      };
      const [first, second, still] = run([true, true, false]);
      expect(first).not.toEqual(second);
      expect(run([false])[0]).toEqual(still);
      expect(run([true, true])).toEqual([first, second]);
    },
  );

  it("reads one value a query and head in training too", () => {
    const [query] = layerInputs([[T, C]]) as [tf.Tensor3D];
    // Values that are the same for every draw of one key, and a projection that leaves them as they are.
    const value = tf.tile(tf.reshape(tf.range(1, S + 1), [1, S, 1]), [2, 1, 1]);
    const layer = new HardAttention({
      numHeads: 1,
      keyDim: 1,
      useBias: false,
      kernelInitializer: "ones",
      seed: 4,
    });
    for (let step = 0; step < 5; step++) {
      const output = layer.apply([query, value], { training: true }) as tf.Tensor;
      for (const read of output.dataSync()) expect([1, 2, 3, 4, 5]).toContain(read);
    }
  });

  it("refuses an estimator of no known name, and a temperature of 0", () => {
    const make = (options: object) => () => new HardAttention({ numHeads: 1, keyDim: 1, ...options });
    const message =
      'HardAttention: estimator must be "gumbelSoftmax" or "straightThrough", got "reinforce"; leave it out for "gumbelSoftmax"';
    expect(make({ estimator: "reinforce" })).toThrow(OptionError);
    expect(make({ estimator: "reinforce" })).toThrow(expect.objectContaining({ message }));
    const cold = "HardAttention: temperature must be a number above 0, got 0; leave it out for 1";
    expect(make({ temperature: 0 })).toThrow(expect.objectContaining({ message: cold }));
  });
});
