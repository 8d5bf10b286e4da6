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

/** A layer in one of its forms, and over which inputs: one sequence, two, and the same partly masked. */
interface Form {
  readonly make: () => Layer;
  readonly over: readonly ("one" | "two" | "oneMasked" | "twoMasked")[];
}

const form = (make: () => Layer, ...over: Form["over"]): Form => ({ make, over });

/** One model of all forms: vectors x and memory, and a and b, ids that are masked where they are 0. */
function modelOf(forms: readonly Form[]): tfl.LayersModel {
  const [x, memory] = [vectors("x"), vectors("memory")];
  const [a, b] = [input("a", [null], "int32"), input("b", [null], "int32")];
  const embedding = tfl.layers.embedding({ inputDim: 11, outputDim: WIDTH, maskZero: true });
  const rows = (ids: Symbol) => embedding.apply(ids) as Symbol;
  const used = new Set<Symbol>();
  const read = (...inputs: Symbol[]) => {
    for (const one of inputs) used.add(one);
    return inputs;
  };
  const outputs = forms.flatMap(({ make, over }) =>
    over.flatMap((way) => {
      if (way === "one") return make().apply(read(x)[0]!) as Symbol | Symbol[];
      if (way === "two") return make().apply(read(x, memory)) as Symbol | Symbol[];
      if (way === "oneMasked") return make().apply(rows(read(a)[0]!)) as Symbol | Symbol[];
      return make().apply(read(a, b).map(rows)) as Symbol | Symbol[];
    }),
  );
  return drawn(tfl.model({ inputs: [...used], outputs }));
}

const ONE = ["one", "oneMasked"] as const;
const TWO = ["two", "twoMasked"] as const;
const attending = { returnAttentionScores: true, seed };
const encoder = { numHeads: 2, intermediateDim: 7, seed };
const LAYERS: Readonly<Record<string, readonly Form[]>> = {
  Attention: [
    form(() => new heed.Attention({ useScale: true, ...attending }), ...TWO),
    form(() => new heed.Attention({ scoreMode: "concat", useScale: true, seed }), "two"),
    form(() => new heed.Attention({ useCausalMask: true, seed }), ...TWO),
  ],
  AdditiveAttention: [
    form(() => new heed.AdditiveAttention(attending), ...TWO),
    form(() => new heed.AdditiveAttention({ useScale: false, seed }), "two"),
  ],
  BahdanauAttention: [form(() => new heed.BahdanauAttention({ units: 5, seed }), ...TWO)],
  MultiHeadAttention: [
    form(() => new heed.MultiHeadAttention({ numHeads: 3, keyDim: 5, valueDim: 7, seed }), ...ONE, ...TWO),
    form(() => new heed.MultiHeadAttention({ numHeads: 3, keyDim: 5, ...attending }), ...ONE, ...TWO),
    form(
      () => new heed.MultiHeadAttention({ numHeads: 2, keyDim: 5, useCausalMask: true, seed }),
      ...ONE,
      "two",
    ),
    form(
      () =>
        new heed.MultiHeadAttention({ numHeads: 2, keyDim: 5, useCausalMask: true, slidingWindow: 2, seed }),
      "two",
    ),
    form(
      () =>
        new heed.MultiHeadAttention({
          ...{ numHeads: 2, keyDim: 5, outputShape: [2, 5], slidingWindow: 2, useGate: true, seed },
        }),
      "one",
      "twoMasked",
    ),
  ],
  GroupQueryAttention: [
    form(
      () => new heed.GroupQueryAttention({ headDim: 5, numQueryHeads: 4, numKeyValueHeads: 2, seed }),
      ...ONE,
      ...TWO,
    ),
  ],
  QkNormAttention: (["l2", "layer", "rms"] as const).map((norm) =>
    form(
      () => new heed.QkNormAttention({ numHeads: 4, numKeyValueHeads: 2, keyDim: 5, norm, seed }),
      ...(norm === "l2" ? ONE : TWO),
    ),
  ),
  TalkingHeadsAttention: [
    form(() => new heed.TalkingHeadsAttention({ numHeads: 2, keyDim: 5, softmaxHeads: 3, seed }), ...TWO),
    form(() => new heed.TalkingHeadsAttention({ numHeads: 2, keyDim: 5, useCausalMask: true, seed }), ...ONE),
  ],
  DifferentialAttention: [
    form(
      () => new heed.DifferentialAttention({ numHeads: 4, numKeyValueHeads: 2, keyDim: 3, seed }),
      ...ONE,
      "two",
    ),
    form(() => new heed.DifferentialAttention({ numHeads: 2, keyDim: 3, useCausalMask: true, seed }), "one"),
  ],
  LinearAttention: [
    form(() => new heed.LinearAttention({ numHeads: 4, numKeyValueHeads: 2, keyDim: 3, seed }), ...TWO),
    form(() => new heed.LinearAttention({ numHeads: 2, keyDim: 3, useCausalMask: true, seed }), ...ONE),
  ],
  AttentionPooling: [form(() => new heed.AttentionPooling(), ...ONE)],
  TransformerEncoderLayer: [
    form(() => new heed.TransformerEncoderLayer({ ...encoder, returnAttentionScores: true }), ...ONE),
    form(
      () =>
        new heed.TransformerEncoderLayer({
          ...{ ...encoder, normalizeFirst: true, activation: "gelu", useBias: false, useCausalMask: true },
        }),
      ...ONE,
    ),
  ],
  TransformerDecoderLayer: [
    form(() => new heed.TransformerDecoderLayer(encoder), ...TWO),
    form(
      () =>
        new heed.TransformerDecoderLayer({ ...encoder, normalizeFirst: true, returnAttentionScores: true }),
      "two",
    ),
  ],
  LayerNormalization: [form(() => new heed.LayerNormalization(), ...ONE)],
  RMSNormalization: [form(() => new heed.RMSNormalization(), "one")],
  PositionEmbedding: [true, false].map((add) =>
    form(() => new heed.PositionEmbedding({ sequenceLength: 8, add }), "one"),
  ),
  SinusoidalPositionEncoding: [
    form(() => new heed.SinusoidalPositionEncoding({ maxWavelength: 50, add: true }), "one"),
  ],
  RotaryEmbedding: [
    form(() => new heed.RotaryEmbedding({ maxWavelength: 50, scaling: "ntk", scalingFactor: 2 }), "one"),
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
      at % sizes[1]! >= sizes[1]! - Math.floor(at / sizes[1]!) - (sourceLayer.name === "b" && B === 3 ? 1 : 0)
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
        expect(expected.every(Number.isFinite)).toBe(true);
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
    const model = modelOf(LAYERS[name]!);
    await expectSame(model, "operator");
    model.dispose();
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

  it("images, and scores with a bias of distances", async () => {
    const [image, scores] = [input("image", [null, null, 8]), input("scores", [2, null, null])];
    const outputs = [
      new heed.SqueezeExcitation({ ratio: 4, returnAttention: true, seed }).apply(image),
      new heed.AlibiBias({ alibiBiasMax: 4, queryOffset: 3 }).apply(scores),
      new heed.RelativePositionBias({ numBuckets: 6, maxDistance: 5, queryOffset: 1, seed }).apply(scores),
      new heed.RelativePositionBias({ numBuckets: 5, bidirectional: false, queryOffset: 2, seed }).apply(
        scores,
      ),
    ].flat() as Symbol[];
    const model = drawn(tfl.model({ inputs: [image, scores], outputs }));
    await expectSame(model, "plain");
    model.dispose();
  });

  it("pairs that may see each other, as a fourth input, and rotation of heads in either order", async () => {
    const [x, pairs] = [vectors("x"), input("pairs", [null, null])];
    const seen = new heed.MultiHeadAttention({ numHeads: 2, keyDim: 5, seed }).apply([
      x,
      x,
      x,
      pairs,
    ]) as Symbol;
    const heads = input("heads", [null, 3, WIDTH]);
    const turned = [1, 2].map(
      (sequenceAxis) => new heed.RotaryEmbedding({ sequenceAxis, width: 4 }).apply(heads) as Symbol,
    );
    const model = drawn(tfl.model({ inputs: [x, pairs, heads], outputs: [seen, ...turned] }));
    await expectSame(model, "plain");
    model.dispose();
  });

  it("NaN in hidden places reaches nothing", async () => {
    const heads = { numHeads: 2, keyDim: 5, seed };
    const model = modelOf([
      form(() => new heed.MultiHeadAttention({ ...heads, slidingWindow: 2 }), "oneMasked", "twoMasked"),
      form(() => new heed.TalkingHeadsAttention(heads), "oneMasked"),
      form(() => new heed.BahdanauAttention({ units: 5, seed }), "twoMasked"),
      form(() => new heed.TransformerEncoderLayer(encoder), "oneMasked"),
      form(() => new heed.TransformerDecoderLayer(encoder), "twoMasked"),
    ]);
    const embedding = model.layers.find((layer) => layer.getClassName() === "Embedding")!;
    tf.tidy(() => {
      const rows = embedding.getWeights()[0]!;
      const values = rows.dataSync().slice().fill(Number.NaN, 0, WIDTH);
      embedding.setWeights([tf.tensor(values, rows.shape)]);
    });
    await expectSame(model, "operator");
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
    const biases = ["SqueezeExcitation", "AlibiBias", "RelativePositionBias"];
    expect([...ONNX_LAYERS].sort()).toEqual(
      [...Object.keys(LAYERS), ...biases, ...around, ...more, ...training].sort(),
    );
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
