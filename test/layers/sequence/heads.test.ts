/** Layers that project sequences to heads and back, and are not Keras'. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { rope } from "../../../src/attention/index.ts";
import {
  differentialAttention,
  multiHeadAttention,
  multiHeadLatentAttention,
  qkLayerNormAttention,
  talkingHeadsAttention,
} from "../../../src/attention/sequence/index.ts";
import { fromHeads, toHeads } from "../../../src/attention/sequence/project.ts";
import {
  DifferentialAttention,
  MultiHeadLatentAttention,
  QkNormAttention,
  TalkingHeadsAttention,
} from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [T, S, C, CV] = [3, 5, 7, 2];
const self = [[T, C]];
const cross = [
  [T, C],
  [S, CV],
];

describeLayer(DifferentialAttention, {
  "of a sequence to itself, causal": {
    args: { numHeads: 2, keyDim: 3, useCausalMask: true, lambdaInit: 0.2 },
    inputs: self,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] },
    still: ["key1/bias", "key2/bias"],
  },
  "of two sequences, without biases, with dropout": {
    args: { numHeads: 3, keyDim: 2, valueDim: 5, useBias: false, dropout: 0.2, epsilon: 1e-3 },
    inputs: cross,
  },
});
describeLayer(TalkingHeadsAttention, {
  "of a sequence to itself, causal": {
    args: { numHeads: 2, keyDim: 3, useCausalMask: true },
    inputs: self,
    heads: { options: ["useCausalMask", "valueDim", "dropout"] },
  },
  "of two sequences, with more heads of the softmax and dropout": {
    args: { numHeads: 2, keyDim: 3, valueDim: 4, softmaxHeads: 5, useBias: false, dropout: 0.3 },
    inputs: cross,
  },
});
describeLayer(QkNormAttention, {
  "with LayerNorm": {
    args: { numHeads: 2, keyDim: 3, useCausalMask: true },
    inputs: self,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] },
  },
  "with RMSNorm and dropout": {
    args: { numHeads: 2, keyDim: 3, norm: "rms", useBias: false, dropout: 0.2 },
    inputs: cross,
  },
  "with unit vectors": {
    args: { numHeads: 3, keyDim: 2, norm: "l2", initialFactor: 4 },
    inputs: cross,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"] },
  },
});
describeLayer(MultiHeadLatentAttention, {
  "of latents alone": { args: { numHeads: 2, keyDim: 3, latentDim: 4, useCausalMask: true }, inputs: self },
  "with positions, latents of queries and dropout": {
    args: { numHeads: 2, keyDim: 3, valueDim: 5, latentDim: 4, queryLatentDim: 3, ropeDim: 2, dropout: 0.2 },
    inputs: self,
  },
  "absorbed, without norms": {
    args: { numHeads: 2, keyDim: 3, latentDim: 4, ropeDim: 2, useNorm: false, absorbed: true },
    inputs: self,
    heads: { options: ["useCausalMask", "valueDim", "dropout"] },
  },
});

const mask = () => tf.tensor2d([1, 1, 0, 1, 0, 1, 1, 1, 1, 0], [2, S], "bool");
/** Weights by their names. */
function weightsOf(layer: {
  weights: { originalName: string; read(): tf.Tensor }[];
}): Record<string, tf.Tensor> {
  const named = layer.weights.map((w) => [w.originalName.split("/").slice(1).join("/"), w.read()] as const);
  return Object.fromEntries(named);
}

onEveryBackend("layers of heads", () => {
  const heads = (w: Record<string, tf.Tensor>, name: string, x: tf.Tensor) =>
    toHeads(x as tf.Tensor3D, w[`${name}/kernel`] as tf.Tensor3D, w[`${name}/bias`] as tf.Tensor2D);
  const project = (w: Record<string, tf.Tensor>, x: tf.Tensor4D) =>
    fromHeads(x, w["attention_output/kernel"] as tf.Tensor3D, w["attention_output/bias"] as tf.Tensor1D);

  it("are their operations between projections, and hide keys by the values' mask", () => {
    const [query, value] = layerInputs(cross);
    const allow = tf.reshape(mask(), [2, 1, 1, S]);
    const swap = (x: tf.Tensor4D) => tf.transpose(x, [0, 2, 1, 3]);
    const biased = { biasInitializer: "randomNormal", numHeads: 2, keyDim: 3 };
    const layers = [
      [
        new DifferentialAttention({ ...biased, lambdaInit: 0.3 }),
        (w: Record<string, tf.Tensor>) =>
          differentialAttention(
            [heads(w, "query1", query!), heads(w, "query2", query!)],
            [heads(w, "key1", value!), heads(w, "key2", value!)],
            heads(w, "value", value!),
            {
              ...{
                lambdaQ1: w.lambda_q1,
                lambdaK1: w.lambda_k1,
                lambdaQ2: w.lambda_q2,
                lambdaK2: w.lambda_k2,
              },
              gamma: w["norm/gamma"],
            } as never,
            { allow, lambdaInit: 0.3, layout: "bthd" },
          ).output,
      ],
      [
        new QkNormAttention(biased),
        (w: Record<string, tf.Tensor>) =>
          qkLayerNormAttention(
            ...([heads(w, "query", query!), heads(w, "key", value!), heads(w, "value", value!)] as const),
            { gammaQ: w["query_norm/gamma"], gammaK: w["key_norm/gamma"] } as never,
            { allow, layout: "bthd" },
          ).output,
      ],
      [
        new TalkingHeadsAttention(biased),
        (w: Record<string, tf.Tensor>) => {
          const parameters = { pl: w["scores/kernel"], pw: w["weights/kernel"] } as never;
          const [q, k, v] = [
            heads(w, "query", query!),
            heads(w, "key", value!),
            heads(w, "value", value!),
          ].map(swap);
          return swap(talkingHeadsAttention(q!, k!, v!, parameters, { allow }).output);
        },
      ],
    ] as const;
    for (const [layer, operation] of layers) {
      const output = layer.apply([query!, value!], { mask: [null, mask()] } as never) as tf.Tensor;
      const w = weightsOf(layer);
      const expected = project(w, operation(w));
      expect(distance(output.dataSync(), expected.dataSync()), layer.getClassName()).toBe(0);
    }
  });

  it("of latents are the operation with the rotation of rope, absorbed or not, with masked outputs of 0", () => {
    const [x] = layerInputs([[S, C]]) as [tf.Tensor3D];
    const args = { numHeads: 2, keyDim: 3, latentDim: 4, queryLatentDim: 3, ropeDim: 2, useCausalMask: true };
    const layer = new MultiHeadLatentAttention({ ...args, seed: 1 });
    const output = layer.apply(x, { mask: mask() } as never) as tf.Tensor;
    const w = weightsOf(layer);
    const parameters = {
      ...{
        wdkv: w["latent/kernel"],
        gammaKv: w["latent_norm/gamma"],
        wuk: w["key/kernel"],
        wuv: w["value/kernel"],
      },
      ...{ wdq: w["query_latent/kernel"], gammaQ: w["query_latent_norm/gamma"], wuq: w["query/kernel"] },
      ...{ wkr: w["key_position/kernel"], wqr: w["query_position/kernel"], wo: w["attention_output/kernel"] },
    };
    const expected = multiHeadLatentAttention(x, parameters as never, {
      ...{ causal: true, allow: tf.reshape(mask(), [2, 1, 1, S]) },
      rotate: (y, offset) => rope(y, { layout: "bthd", offset }),
    }).output;
    const shown = tf.where(tf.expandDims(mask(), 2), expected, 0);
    expect(distance(output.dataSync(), shown.dataSync())).toBeLessThanOrEqual(2 ** -20);
    const absorbed = new MultiHeadLatentAttention({ ...args, seed: 1, absorbed: true });
    const other = absorbed.apply(x, { mask: mask() } as never) as tf.Tensor;
    expect(distance(other.dataSync(), output.dataSync())).toBeLessThanOrEqual(2 ** -19);
  });

  it("hide keys by the values' mask alone where one tensor is given twice", () => {
    const [, value] = layerInputs(cross);
    for (const masks of [
      [null, mask()],
      [mask(), null],
    ]) {
      const layer = new QkNormAttention({ biasInitializer: "randomNormal", numHeads: 2, keyDim: 3 });
      const twice = layer.apply([value!, value!], { mask: masks } as never) as tf.Tensor;
      const copies = layer.apply([value!, tf.clone(value!)], { mask: masks } as never) as tf.Tensor;
      expect(twice.dataSync()).toEqual(copies.dataSync());
    }
  });

  it("let NaN behind masks reach no output and no gradient", () => {
    const spoil = (x: tf.Tensor, seen: tf.Tensor) => tf.where(tf.expandDims(seen, 2), x, Number.NaN);
    const heads = { numHeads: 2, keyDim: 3 };
    for (const layer of [
      new DifferentialAttention(heads),
      new TalkingHeadsAttention(heads),
      new QkNormAttention(heads),
      new QkNormAttention({ ...heads, norm: "l2" }),
      new MultiHeadLatentAttention({ ...heads, latentDim: 4, ropeDim: 2 }),
    ]) {
      const [x] = layerInputs([[S, C]]);
      const run = (y: tf.Tensor) => layer.apply(y, { mask: mask() } as never) as tf.Tensor;
      const [clean, dirty] = [run(x!), run(spoil(x!, mask()))];
      expect(distance(dirty.dataSync(), clean.dataSync()), layer.getClassName()).toBe(0);
      const loss = () => tf.sum(tf.square(run(spoil(x!, mask())))) as tf.Scalar;
      for (const gradient of Object.values(tf.variableGrads(loss).grads)) {
        expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
      }
    }
  });

  it("of latents as wide as the model are multi-head attention", () => {
    const [x] = layerInputs([[S, C]]) as [tf.Tensor3D];
    const args = { numHeads: 2, keyDim: 3, latentDim: C, useNorm: false, kernelInitializer: "glorotUniform" };
    const layer = new MultiHeadLatentAttention(args);
    layer.apply(x);
    layer.setWeights(layer.getWeights().map((w, n) => (n === 0 ? tf.eye(C) : w)));
    const w = weightsOf(layer);
    const parameters = {
      ...{
        wq: w["query/kernel"],
        wk: w["key/kernel"],
        wv: w["value/kernel"],
        wo: w["attention_output/kernel"],
      },
    };
    const expected = multiHeadAttention({ query: x }, parameters as never).output;
    expect(distance((layer.apply(x) as tf.Tensor).dataSync(), expected.dataSync())).toBeLessThanOrEqual(
      2 ** -20,
    );
  });

  it("refuse fields that make no layer", () => {
    const heads = { numHeads: 2, keyDim: 3 };
    expect(() => new MultiHeadLatentAttention({ ...heads, latentDim: 2, ropeDim: 3 })).toThrow(
      "MultiHeadLatentAttention: ropeDim must be an even integer ≥ 2, got 3; or leave it out",
    );
    expect(() => new DifferentialAttention({ ...heads, lambdaInit: 1 })).toThrow(
      "lambdaInit must be from 0 to below 1",
    );
    expect(() => new QkNormAttention({ ...heads, norm: "batch" as never })).toThrow(
      'norm must be "l2" or "layer" or "rms"',
    );
    expect(() => new TalkingHeadsAttention({ numHeads: 0, keyDim: 3 })).toThrow(
      "numHeads must be an integer ≥ 1",
    );
  });
});
