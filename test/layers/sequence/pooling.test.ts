/** Layers that make one vector, or a few, of a sequence, and Luong's local attention. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  attentionPooling,
  concatScore,
  generalScore,
  luongLocalAttention,
  multiHeadPooling,
  patchAttention,
} from "../../../src/attention/index.ts";
import {
  AttentionPooling,
  LuongLocalAttention,
  MultiHeadPooling,
  PatchAttention,
} from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs, modelOf } from "../harness.ts";

const [T, S, C, CV, CK] = [3, 5, 7, 2, 11];
const three = [
  [T, C],
  [S, CV],
  [S, CK],
];

describeLayer(PatchAttention, {
  "with biases": { args: { units: 3 }, inputs: [[C], [S, CV]], still: ["key/bias"] },
  "with sizes of its own, no biases and dropout": {
    args: { units: 3, valueDim: 4, useBias: false, dropout: 0.2 },
    inputs: [[C], [S, CV]],
  },
});
describeLayer(AttentionPooling, {
  "of a sequence": { args: {}, inputs: [[S, C]] },
  "with another start and dropout": {
    args: { queryInitializer: "randomNormal", dropout: 0.2 },
    inputs: [[S, C]],
  },
});
describeLayer(MultiHeadPooling, {
  "to one vector": {
    args: { numHeads: 2, keyDim: 3 },
    inputs: [[S, C]],
    heads: { options: ["numKeyValueHeads", "valueDim", "dropout"], asks: false },
    still: ["key/bias"],
  },
  "to several, with sizes of its own and dropout": {
    args: { seeds: 4, numHeads: 2, keyDim: 3, valueDim: 5, outputDim: 6, useBias: false, dropout: 0.2 },
    inputs: [[S, C]],
  },
});
describeLayer(LuongLocalAttention, {
  "local-p with the general score": { args: { radius: 2 }, inputs: three },
  "local-p with the concat score, renormalised, with dropout": {
    args: { radius: 3, score: "concat", units: 4, renormalize: true, dropout: 0.2 },
    inputs: three,
  },
  "local-m": { args: { radius: 1, alignment: "monotonic" }, inputs: three },
  "local-p with the dot score": {
    args: { score: "dot" },
    inputs: [
      [T, C],
      [S, C],
    ],
  },
});

const mask = () => tf.tensor2d([1, 1, 1, 0, 0, 1, 1, 1, 1, 0], [2, S], "bool");

onEveryBackend("layers that pool", () => {
  it("are their operations, and hide positions by their mask", () => {
    const [x] = layerInputs([[S, C]]) as [tf.Tensor3D];
    const options = { allow: mask() };
    const pooling = new AttentionPooling({ queryInitializer: "randomNormal" });
    const pooled = pooling.apply(x, { mask: mask() } as never) as tf.Tensor;
    const [query] = pooling.getWeights() as [tf.Tensor1D];
    expect(pooled.dataSync()).toEqual(attentionPooling(x, { query }, options).output.dataSync());

    const many = new MultiHeadPooling({ seeds: 2, numHeads: 3, keyDim: 2, biasInitializer: "ones" });
    const vectors = many.apply(x, { mask: mask() } as never) as tf.Tensor;
    const [seeds, wq, bq, wk, bk, wv, bv, wo, bo] = many.getWeights();
    const parameters = { seeds, wq, bq, wk, bk, wv, bv, wo, bo } as never;
    expect(vectors.dataSync()).toEqual(multiHeadPooling(x, parameters, options).output.dataSync());

    const [asks] = layerInputs([[CK]], 2, 9) as [tf.Tensor2D];
    const patch = new PatchAttention({ units: 4, biasInitializer: "ones" });
    const looked = patch.apply([asks, x], { mask: [null, mask()] } as never) as tf.Tensor;
    const [pq, pbq, pk, pbk, pv, pbv] = patch.getWeights();
    const own = { wq: pq, bq: pbq, wk: pk, bk: pbk, wv: pv, bv: pbv } as never;
    expect(looked.dataSync()).toEqual(patchAttention(asks, x, own, options).output.dataSync());
  });

  it("take the masks of an embedding, and pass none on", () => {
    const [x] = layerInputs([[S, C]]) as [tf.Tensor3D];
    for (const layer of [new AttentionPooling(), new MultiHeadPooling({ numHeads: 2, keyDim: 3 })]) {
      layer.apply(x);
      expect(layer.computeMask(x, mask())).toBe(null);
    }
  });

  it("of Luong are the operation, S where the mask ends", () => {
    const [queries, values, keys] = layerInputs(three) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const given = { queries, values, keys };
    for (const score of ["general", "concat"] as const) {
      const layer = new LuongLocalAttention({ radius: 2, score });
      const call = { mask: [null, mask()] } as never;
      const output = layer.apply([queries, values, keys], call) as tf.Tensor;
      const [wp, vp, w, v] = layer.getWeights() as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D];
      const scored = score === "general" ? generalScore({ w }) : concatScore({ w, v });
      const lengths = { mask: { keyLengths: [3, 4] } };
      const expected = luongLocalAttention(given, { wp, vp }, { radius: 2, score: scored, ...lengths });
      expect(distance(output.dataSync(), expected.output.dataSync())).toBeLessThanOrEqual(2 ** -20);
    }
    // A hole in the mask is hidden and still has a place.
    const hole = tf.tensor2d([1, 0, 1, 1, 0, 1, 0, 1, 1, 0], [2, S], "bool");
    const layer = new LuongLocalAttention({ alignment: "monotonic", score: "general", radius: 1 });
    const output = layer.apply([queries, values, keys], { mask: [null, hole] } as never) as tf.Tensor;
    const [w] = layer.getWeights() as [tf.Tensor2D];
    const allow = tf.expandDims(hole, 1);
    const expected = luongLocalAttention(given, undefined, {
      radius: 1,
      score: generalScore({ w }),
      mask: { allow },
    });
    expect(distance(output.dataSync(), expected.output.dataSync())).toBeLessThanOrEqual(2 ** -20);
  });

  it("work in models that are fitted", async () => {
    const model = modelOf(new LuongLocalAttention({ radius: 2 }), three);
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const y = tf.zeros([4, T, CV]);
    const { history } = await model.fit(layerInputs(three, 4), y, { epochs: 2, verbose: 0 });
    expect(history.loss!.every((loss) => Number.isFinite(loss))).toBe(true);
    expect(history.loss).toHaveLength(2);
  });
});
