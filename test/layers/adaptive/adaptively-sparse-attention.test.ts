import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { adaptivelySparse } from "../../../src/attention/index.ts";
import { fromHeads, toHeads } from "../../../src/attention/sequence/project.ts";
import { AdaptivelySparseAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [T, S, C, CV, CK] = [3, 5, 7, 2, 11];

describeLayer(AdaptivelySparseAttention, {
  "of two sequences": {
    args: { numHeads: 2, keyDim: 3 },
    inputs: [
      [T, C],
      [S, CV],
    ],
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] },
    still: ["key/bias"],
  },
  "of itself, causal": {
    args: { numHeads: 2, keyDim: 3, useCausalMask: true },
    inputs: [[T, C]],
    // A bias of the keys moves all scores of a query alike.
    still: ["key/bias"],
  },
  "with keys of their own, no bias and dropout": {
    args: { numHeads: 2, keyDim: 3, valueDim: 4, useBias: false, dropout: 0.2, shapeInitializer: "ones" },
    inputs: [
      [T, C],
      [S, CV],
      [S, CK],
    ],
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] },
  },
});

onEveryBackend("AdaptivelySparseAttention", () => {
  it("is adaptivelySparse of its projections, hides what masks hide, and lets NaN there reach nothing", () => {
    const [query, value] = layerInputs([
      [T, C],
      [S, CV],
    ]) as [tf.Tensor3D, tf.Tensor3D];
    const layer = new AdaptivelySparseAttention({ numHeads: 2, keyDim: 3, seed: 1, biasInitializer: "ones" });
    const asking = tf.tensor2d([1, 1, 0, 1, 1, 1], [2, T], "bool");
    const seen = tf.tensor2d([1, 0, 1, 1, 0, 0, 0, 0, 0, 0], [2, S], "bool");
    const mask = [asking, seen];
    const clean = layer.apply([query, value], { mask }) as tf.Tensor;
    tf.tidy(() => {
      const [wq, bq, wk, bk, wv, bv, wo, bo, a] = layer.getWeights() as tf.Tensor[];
      const heads = (x: tf.Tensor3D, w: tf.Tensor, b: tf.Tensor) =>
        tf.transpose(toHeads(x, w as tf.Tensor3D, b as tf.Tensor2D), [0, 2, 1, 3]) as tf.Tensor4D;
      const { output } = adaptivelySparse(
        heads(query, wq!, bq!),
        heads(value, wk!, bk!),
        heads(value, wv!, bv!),
        { a: a as tf.Tensor1D },
        { allow: tf.reshape(seen, [2, 1, 1, S]) },
      );
      const rows = tf.mul(tf.transpose(output, [0, 2, 1, 3]), tf.reshape(asking, [2, T, 1, 1]));
      const expected = fromHeads(rows as tf.Tensor4D, wo as tf.Tensor3D, bo as tf.Tensor1D);
      expect(distance(clean.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-5);
      const spoil = (x: tf.Tensor, m: tf.Tensor) => tf.where(tf.expandDims(m, 2), x, Number.NaN);
      const dirty = layer.apply([spoil(query, asking), spoil(value, seen)], { mask }) as tf.Tensor;
      expect(dirty.dataSync()).toEqual(clean.dataSync());
    });
  });
});
