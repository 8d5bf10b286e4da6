import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { adaptiveSpan } from "../../../src/attention/index.ts";
import { fromHeads, toHeads } from "../../../src/attention/sequence/project.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { AdaptiveSpanAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend, random, tensor } from "../../attention/support.ts";
import { describeLayer, layerInputs, modelOf } from "../harness.ts";

const [T, C] = [5, 7];

describeLayer(AdaptiveSpanAttention, {
  "causal, with a penalty": {
    args: {
      numHeads: 3,
      keyDim: 2,
      maxSpan: 8,
      initialSpan: 1.5,
      ramp: 2,
      spanPenalty: 0.1,
      useCausalMask: true,
    },
    inputs: [[T, C]],
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] },
    // A bias of the keys moves all scores of a query alike.
    still: ["key/bias"],
  },
  "in both directions, wide values, dropout and no bias": {
    args: {
      numHeads: 2,
      keyDim: 3,
      valueDim: 5,
      maxSpan: 4,
      initialSpan: 2,
      ramp: 1.5,
      useBias: false,
      dropout: 0.2,
    },
    inputs: [[T, C]],
  },
});

onEveryBackend("AdaptiveSpanAttention", () => {
  it("is adaptiveSpan of its projections, with heads of 0 where the mask says that nothing is", () => {
    const [x] = layerInputs([[T, C]]) as [tf.Tensor3D];
    const options = {
      numHeads: 2,
      keyDim: 3,
      maxSpan: 6,
      initialSpan: 1.5,
      ramp: 2,
      useCausalMask: true,
    } as const;
    const layer = new AdaptiveSpanAttention({ ...options, seed: 1, biasInitializer: "ones" });
    const mask = tf.tensor2d([1, 1, 1, 0, 0, 1, 1, 1, 1, 1], [2, T], "bool");
    const clean = layer.apply(x, { mask }) as tf.Tensor;
    tf.tidy(() => {
      const [wq, bq, wk, bk, wv, bv, wo, bo] = layer.getWeights() as tf.Tensor[];
      const heads = (w: tf.Tensor, b: tf.Tensor) =>
        tf.transpose(toHeads(x, w as tf.Tensor3D, b as tf.Tensor2D), [0, 2, 1, 3]) as tf.Tensor4D;
      const { output } = adaptiveSpan(
        heads(wq!, bq!),
        heads(wk!, bk!),
        heads(wv!, bv!),
        { z: tf.tensor1d([1.5, 1.5]) },
        { ramp: 2, maxSpan: 6, causal: true, keyLengths: [3, 5] },
      );
      const rows = tf.mul(tf.transpose(output, [0, 2, 1, 3]), tf.reshape(mask, [2, T, 1, 1])) as tf.Tensor4D;
      const expected = fromHeads(rows, wo as tf.Tensor3D, bo as tf.Tensor1D);
      expect(distance(clean.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-5);
      const spoiled = tf.where(tf.expandDims(mask, 2), x, Number.NaN);
      expect((layer.apply(spoiled, { mask }) as tf.Tensor).dataSync()).toEqual(clean.dataSync());
    });
  });

  it("begins with initialSpan, shrinks its spans under the penalty, and keeps them from 0 to maxSpan", async () => {
    const args = { numHeads: 2, keyDim: 2, maxSpan: 4, initialSpan: 3, ramp: 2, seed: 1 };
    const spansAfter = async (spanPenalty: number, steps: number) => {
      const layer = new AdaptiveSpanAttention({ ...args, spanPenalty });
      const model = modelOf(layer, [[T, C]]);
      expect(layer.spans()).toEqual([3, 3]);
      model.compile({ optimizer: tf.train.adam(0.05), loss: "meanSquaredError" });
      const [x, y] = [tensor(random(1, [2, T, C])), tensor(random(2, [2, T, C]))];
      for (let step = 0; step < steps; step++) await model.trainOnBatch(x, y);
      // One step of the optimiser beyond the ends at most, which the next call takes back.
      for (const share of layer.getWeights().at(-1)!.dataSync()) expect(share).toBeGreaterThan(-0.051);
      return layer.spans();
    };
    const [free, paid] = [await spansAfter(0, 10), await spansAfter(10, 10)];
    expect(Math.max(...paid)).toBeLessThan(Math.min(...free));
    expect(await spansAfter(10, 40)).toEqual([0, 0]);
  });

  it("adds the penalty to the model's loss", async () => {
    const lossWith = async (spanPenalty: number) => {
      const args = { numHeads: 2, keyDim: 2, maxSpan: 4, initialSpan: 3, ramp: 2, seed: 1, spanPenalty };
      const model = modelOf(new AdaptiveSpanAttention(args), [[T, C]]);
      model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
      return (await model.trainOnBatch(tensor(random(1, [2, T, C])), tf.zeros([2, T, C]))) as number;
    };
    expect((await lossWith(0.5)) - (await lossWith(0))).toBeCloseTo(1.5, 5);
  });

  it("refuses a maxSpan that is not positive", () => {
    const attempt = () => new AdaptiveSpanAttention({ numHeads: 1, keyDim: 1, maxSpan: 0 });
    const message = "AdaptiveSpanAttention: maxSpan must be a number above 0, got 0; a layer needs one";
    expect(attempt).toThrow(OptionError);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
