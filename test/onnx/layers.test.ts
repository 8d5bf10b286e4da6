/** Models of layers as ONNX files, run by onnxruntime-web, against the models. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import * as heed from "../../src/layers/index.ts";
import { exportOnnx, ONNX_LAYERS } from "../../src/onnx/index.ts";
import { distance, random } from "../attention/support.ts";
import { sessionOf } from "./runtime.ts";

beforeAll(useHeedBackend);

type Symbol = tfl.SymbolicTensor;
type Layer = tfl.layers.Layer;

const WIDTH = 6;
const input = (name: string, shape: (number | null)[], dtype?: "int32") =>
  tfl.input({ shape, name, ...(dtype && { dtype }) });
const vectors = (name: string, C = WIDTH) => input(name, [null, C]);
const apply = (layer: Layer, inputs: Symbol | Symbol[]) => layer.apply(inputs) as Symbol | Symbol[];
const seed = 3;

const numbers = (n: number, shape: readonly number[]) =>
  Float32Array.from(random(n, shape.length > 0 ? shape : [1]).values);

/** Weights that begin as zeros or ones say little: all are drawn. */
function drawn(model: tfl.LayersModel): tfl.LayersModel {
  tf.tidy(() => {
    model.setWeights(model.getWeights().map((w, n) => tf.tensor(numbers(n + 1, w.shape), w.shape)));
  });
  return model;
}

/** Tokens that an embedding masks where they are 0, as vectors. */
function masked(name: string, n: number): { given: Symbol; x: Symbol } {
  const given = input(name, [null], "int32");
  const embedding = tfl.layers.embedding({
    inputDim: 11,
    outputDim: WIDTH,
    maskZero: true,
    name: `rows_${n}`,
  });
  return { given, x: embedding.apply(given) as Symbol };
}

/** A layer over one sequence, over two, and over two whose positions are partly masked. */
function models(make: () => Layer, { self = true, cross = true, masks = true } = {}): tfl.LayersModel[] {
  const of = (inputs: Symbol[], outputs: Symbol | Symbol[]) => drawn(tfl.model({ inputs, outputs }));
  const one = () => {
    const x = vectors("x");
    return of([x], apply(make(), x));
  };
  const two = () => {
    const [x, memory] = [vectors("x"), vectors("memory")];
    return of([x, memory], apply(make(), [x, memory]));
  };
  const oneMasked = () => {
    const { given, x } = masked("a", 1);
    return of([given], apply(make(), x));
  };
  const twoMasked = () => {
    const [a, b] = [masked("a", 1), masked("b", 2)];
    return of([a.given, b.given], apply(make(), [a.x, b.x]));
  };
  const all = [
    ...(self ? [one, ...(masks ? [oneMasked] : [])] : []),
    ...(cross ? [two, ...(masks ? [twoMasked] : [])] : []),
  ];
  return all.map((model) => model());
}

const attending = { returnAttentionScores: true, seed };
const LAYERS: Readonly<Record<string, () => tfl.LayersModel[]>> = {
  Attention: () => [
    ...models(() => new heed.Attention({ useScale: true, ...attending }), { self: false }),
    ...models(() => new heed.Attention({ scoreMode: "concat", useScale: true, seed }), {
      self: false,
      masks: false,
    }),
    ...models(() => new heed.Attention({ useCausalMask: true, seed }), { self: false }),
  ],
  AdditiveAttention: () => models(() => new heed.AdditiveAttention(attending), { self: false }),
  BahdanauAttention: () => models(() => new heed.BahdanauAttention({ units: 5, seed }), { self: false }),
  MultiHeadAttention: () => [
    ...models(() => new heed.MultiHeadAttention({ numHeads: 3, keyDim: 5, valueDim: 7, ...attending })),
    ...models(
      () =>
        new heed.MultiHeadAttention({ numHeads: 2, keyDim: 5, useCausalMask: true, slidingWindow: 2, seed }),
    ),
    ...models(
      () =>
        new heed.MultiHeadAttention({
          numHeads: 2,
          keyDim: 5,
          outputShape: [2, 5],
          slidingWindow: 2,
          useGate: true,
          seed,
        }),
      { masks: false },
    ),
    (() => {
      const [x, pairs] = [vectors("x"), input("pairs", [null, null])];
      const outputs = new heed.MultiHeadAttention({ numHeads: 2, keyDim: 5, seed }).apply([
        x,
        x,
        x,
        pairs,
      ]) as Symbol;
      return drawn(tfl.model({ inputs: [x, pairs], outputs }));
    })(),
  ],
  GroupQueryAttention: () =>
    models(() => new heed.GroupQueryAttention({ headDim: 5, numQueryHeads: 4, numKeyValueHeads: 2, seed })),
  QkNormAttention: () =>
    (["l2", "layer", "rms"] as const).flatMap((norm) =>
      models(() => new heed.QkNormAttention({ numHeads: 4, numKeyValueHeads: 2, keyDim: 5, norm, seed }), {
        self: norm === "l2",
        masks: norm === "rms",
      }),
    ),
  TalkingHeadsAttention: () =>
    models(
      () =>
        new heed.TalkingHeadsAttention({
          numHeads: 2,
          keyDim: 5,
          softmaxHeads: 3,
          useCausalMask: true,
          seed,
        }),
    ),
  TransformerEncoderLayer: () => [
    ...models(() => new heed.TransformerEncoderLayer({ numHeads: 2, intermediateDim: 7, ...attending }), {
      cross: false,
    }),
    ...models(
      () =>
        new heed.TransformerEncoderLayer({
          numHeads: 2,
          intermediateDim: 7,
          normalizeFirst: true,
          activation: "gelu",
          useBias: false,
          useCausalMask: true,
          seed,
        }),
      { cross: false },
    ),
  ],
  TransformerDecoderLayer: () => [
    ...models(() => new heed.TransformerDecoderLayer({ numHeads: 2, intermediateDim: 7, seed }), {
      self: false,
    }),
    ...models(
      () =>
        new heed.TransformerDecoderLayer({
          numHeads: 3,
          intermediateDim: 7,
          normalizeFirst: true,
          ...attending,
        }),
      { self: false, masks: false },
    ),
  ],
  LayerNormalization: () => models(() => new heed.LayerNormalization(), { cross: false }),
  RMSNormalization: () => models(() => new heed.RMSNormalization(), { cross: false, masks: false }),
  PositionEmbedding: () => [
    ...models(() => new heed.PositionEmbedding({ sequenceLength: 8, add: true }), {
      cross: false,
      masks: false,
    }),
    ...models(() => new heed.PositionEmbedding({ sequenceLength: 8 }), { cross: false, masks: false }),
  ],
  SinusoidalPositionEncoding: () =>
    models(() => new heed.SinusoidalPositionEncoding({ maxWavelength: 50, add: true }), {
      cross: false,
      masks: false,
    }),
  RotaryEmbedding: () => [
    ...models(() => new heed.RotaryEmbedding({ maxWavelength: 50, scaling: "ntk", scalingFactor: 2 }), {
      cross: false,
      masks: false,
    }),
    ...[1, 2].map((sequenceAxis) => {
      const x = input("x", [null, 3, WIDTH]);
      const rotary = new heed.RotaryEmbedding({ sequenceAxis, width: 4 });
      return tfl.model({ inputs: x, outputs: rotary.apply(x) as Symbol });
    }),
  ],
};

/** Sizes of the inputs of a model: B = 2, then T = 5 and S = 3, and after them another batch. */
function inputsOf(model: tfl.LayersModel, B: number, lengths: readonly number[]) {
  return model.inputs.map(({ shape, dtype, sourceLayer }, n) => {
    let at = n;
    const sizes = shape.map((size, axis) => size ?? (axis === 0 ? B : lengths[at++ % lengths.length]!));
    if (sourceLayer.name === "pairs") sizes[1] = sizes[2] = lengths[0]!;
    const { values } = random(n + 7, sizes);
    const isIds = dtype === "int32";
    // The last ids of a row are 0, and so hidden; one example has nothing to see at all.
    const id = (value: number, at: number) =>
      at % sizes[1]! >= sizes[1]! - Math.floor(at / sizes[1]!) - (n === 1 && B === 3 ? 1 : 0)
        ? 0
        : 1 + (Math.floor(1e4 * Math.abs(value)) % 10);
    const made = Float32Array.from(values, (value, at) =>
      sourceLayer.name === "pairs" ? Number(value > -0.5) : isIds ? id(value, at) : value,
    );
    return { name: sourceLayer.name, shape: sizes, values: made, isIds };
  });
}

async function expectSame(model: tfl.LayersModel, attention: "operator" | "plain"): Promise<void> {
  const session = await sessionOf(exportOnnx(model, { attention }));
  for (const [B, lengths] of [
    [2, [5, 3]],
    [3, [2, 7]],
  ] as const) {
    const inputs = inputsOf(model, B, lengths);
    const feeds = Object.fromEntries(
      inputs.map(({ name, shape, values, isIds }) => [
        name,
        { shape, values: isIds ? Int32Array.from(values) : values },
      ]),
    );
    const got = await session.run(feeds);
    tf.tidy(() => {
      const tensors = inputs.map(({ shape, values, isIds }) =>
        tf.tensor(values, shape, isIds ? "int32" : "float32"),
      );
      const wanted = [model.predict(tensors)].flat();
      expect(session.outputs.length).toBe(wanted.length);
      for (const [n, tensor] of wanted.entries()) {
        const { shape, values } = got[session.outputs[n]!]!;
        expect(shape).toEqual(tensor.shape);
        const expected = Array.from(tensor.dataSync());
        const most = Math.max(1, ...expected.map(Math.abs));
        expect(distance(Array.from(values), expected), `${session.outputs[n]} of ${B}`).toBeLessThan(
          1e-5 * most,
        );
      }
    });
  }
  await session.release();
}

describe("A layer gives in onnxruntime-web what it gives here", () => {
  it.each(Object.keys(LAYERS))("%s, over itself and another, masked and not", async (name) => {
    for (const model of LAYERS[name]!()) {
      await expectSame(model, "operator");
      model.dispose();
    }
  });

  it("a model of TensorFlow.js' layers around them, with a layer used twice and a model within", async () => {
    const x = vectors("x");
    const shared = new heed.TransformerEncoderLayer({ numHeads: 2, intermediateDim: 7, seed });
    const y = shared.apply(
      shared.apply(new heed.SinusoidalPositionEncoding({ add: true }).apply(x)),
    ) as Symbol;
    const within = vectors("within");
    const dense = tfl.layers.dense({ units: WIDTH, activation: "gelu" }).apply(within) as Symbol;
    const inner = tfl.model({
      inputs: within,
      outputs: tfl.layers.dropout({ rate: 0.5 }).apply(dense) as Symbol,
    });
    const z = tfl.layers.add().apply([y, inner.apply(y) as Symbol]) as Symbol;
    const means = tfl.layers.globalAveragePooling1d({}).apply(z) as Symbol;
    const most = tfl.layers.globalMaxPooling1d({}).apply(z) as Symbol;
    const joined = tfl.layers.concatenate().apply([means, most]) as Symbol;
    const cut = tfl.layers
      .permute({ dims: [2, 1] })
      .apply(tfl.layers.reshape({ targetShape: [3, 4] }).apply(joined) as Symbol);
    const flat = tfl.layers.flatten().apply(cut) as Symbol;
    const doubled = tfl.layers.multiply().apply([flat, tfl.layers.average().apply([flat, joined]) as Symbol]);
    const outputs = tfl.layers
      .dense({ units: 5, activation: "softmax" })
      .apply(tfl.layers.activation({ activation: "swish" }).apply(doubled) as Symbol) as Symbol;
    const model = drawn(tfl.model({ inputs: x, outputs }));
    await expectSame(model, "plain");
    model.dispose();
  });

  it("every layer of the table is tested", () => {
    const around = [
      "Activation",
      "Add",
      "Average",
      "Concatenate",
      "Dense",
      "Dropout",
      "Embedding",
      "Flatten",
    ];
    const more = ["GlobalAveragePooling1D", "GlobalMaxPooling1D", "Multiply", "Permute", "Reshape"];
    const training = ["GaussianDropout", "GaussianNoise", "SpatialDropout1D"];
    expect([...ONNX_LAYERS].sort()).toEqual([...Object.keys(LAYERS), ...around, ...more, ...training].sort());
  });

  it("a layer that ONNX cannot say is refused by its name, with those that it can", () => {
    const x = vectors("x");
    const outputs = new heed.LSHSelfAttention({ numHeads: 2, keyDim: 4, seed }).apply(x) as Symbol;
    const model = tfl.model({ inputs: x, outputs });
    expect(() => exportOnnx(model)).toThrow(
      /^exportOnnx: a layer must be one of Attention, .*, got LSHSelfAttention \(.*\); export a model without it$/,
    );
    model.dispose();
  });
});
