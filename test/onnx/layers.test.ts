/** Models of layers as ONNX files, run by onnxruntime-web, against the models. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import * as heed from "../../src/layers/index.ts";
import { exportOnnx, ONNX_LAYERS } from "../../src/onnx/index.ts";
import { ATTENTIONS, encoder } from "./forms/attentions.ts";
import { GLIMPSES } from "./forms/glimpses.ts";
import { HEADS } from "./forms/heads.ts";
import { IMAGES } from "./forms/images.ts";
import { RECURRENT } from "./forms/recurrent.ts";
import { SEQUENCES } from "./forms/sequences.ts";
import { STOCK } from "./forms/stock.ts";
import {
  CHANNELS,
  drawn,
  expectSame,
  type Form,
  form,
  input,
  modelOf,
  type Symbolic,
  seed,
  vectors,
  WIDTH,
} from "./layer-harness.ts";
import { testNative } from "./native.ts";

beforeAll(useHeedBackend);

const LAYERS = { ...ATTENTIONS, ...HEADS, ...SEQUENCES, ...IMAGES, ...GLIMPSES, ...RECURRENT, ...STOCK };

describe("A layer gives in onnxruntime-web what it gives here", () => {
  it.each(Object.keys(LAYERS))("%s, in each of its forms", async (name) => {
    const model = modelOf(LAYERS[name]!);
    await expectSame(model, "operator");
    model.dispose();
  });

  it("a model of TensorFlow.js' layers around them, with a layer used twice and a model within", async () => {
    const x = vectors("x");
    const shared = new heed.TransformerEncoderLayer({ numHeads: 2, intermediateDim: 7, seed });
    const y = shared.apply(
      shared.apply(new heed.SinusoidalPositionEncoding({ add: true }).apply(x)),
    ) as Symbolic;
    const within = vectors("within");
    const dense = tfl.layers.dense({ units: WIDTH, activation: "gelu" }).apply(within) as Symbolic;
    const inner = tfl.model({
      inputs: within,
      outputs: tfl.layers.dropout({ rate: 0.5 }).apply(dense) as Symbolic,
    });
    const z = tfl.layers.add().apply([y, inner.apply(y) as Symbolic]) as Symbolic;
    const means = tfl.layers.globalAveragePooling1d({}).apply(z) as Symbolic;
    const most = tfl.layers.globalMaxPooling1d({}).apply(z) as Symbolic;
    const joined = tfl.layers.concatenate().apply([means, most]) as Symbolic;
    const cut = tfl.layers
      .permute({ dims: [2, 1] })
      .apply(tfl.layers.reshape({ targetShape: [3, 4] }).apply(joined) as Symbolic);
    const flat = tfl.layers.flatten().apply(cut) as Symbolic;
    const doubled = tfl.layers
      .multiply()
      .apply([flat, tfl.layers.average().apply([flat, joined]) as Symbolic]);
    const outputs = tfl.layers
      .dense({ units: 5, activation: "softmax" })
      .apply(tfl.layers.activation({ activation: "swish" }).apply(doubled) as Symbolic) as Symbolic;
    const model = drawn(tfl.model({ inputs: x, outputs }));
    await expectSame(model, "plain");
    model.dispose();
  });

  it("scores with a bias of distances", async () => {
    const scores = input("scores", [2, null, null]);
    const outputs = [
      new heed.AlibiBias({ alibiBiasMax: 4, queryOffset: 3 }).apply(scores),
      new heed.RelativePositionBias({ numBuckets: 6, maxDistance: 5, queryOffset: 1, seed }).apply(scores),
      new heed.RelativePositionBias({ numBuckets: 5, bidirectional: false, queryOffset: 2, seed }).apply(
        scores,
      ),
    ].flat() as Symbolic[];
    const model = drawn(tfl.model({ inputs: scores, outputs }));
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
    ]) as Symbolic;
    const heads = input("heads", [null, 3, WIDTH]);
    const turned = [1, 2].map(
      (sequenceAxis) => new heed.RotaryEmbedding({ sequenceAxis, width: 4 }).apply(heads) as Symbolic,
    );
    const model = drawn(tfl.model({ inputs: [x, pairs, heads], outputs: [seen, ...turned] }));
    await expectSame(model, "plain");
    model.dispose();
  });

  it("NaN in hidden places reaches nothing", async () => {
    const heads = { numHeads: 2, keyDim: 5, seed };
    const model = modelOf([
      form(() => new heed.MultiHeadAttention({ ...heads, slidingWindow: 2 }), ["a"], ["a", "b"]),
      form(() => new heed.TalkingHeadsAttention(heads), ["a"]),
      form(() => new heed.BahdanauAttention({ units: 5, seed }), ["a", "b"]),
      form(() => new heed.TransformerEncoderLayer(encoder), ["a"]),
      form(() => new heed.TransformerDecoderLayer(encoder), ["a", "b"]),
      form(() => new heed.GatedCrossAttention(encoder), ["a", "b"]),
      form(() => new heed.InducedSetAttention({ ...encoder, inducingPoints: 3 }), ["a"]),
      form(() => new heed.PerformerAttention({ ...heads, features: 5 }), ["a"], ["a", "b"]),
      form(() => new heed.LinformerAttention({ ...heads, mixtures: 2, maxLength: 7 }), ["a"], ["a", "b"]),
      form(() => new heed.NystromAttention({ ...heads, landmarks: 2, convSize: 3 }), ["a"]),
      form(() => new heed.GatedDeltaNet(heads), ["a"]),
      form(() => new heed.LongformerAttention({ ...heads, attentionWindow: 2, globalPositions: [0] }), ["a"]),
      form(() => new heed.AdaptivelySparseAttention(heads), ["a", "b"]),
      form(() => new heed.HardAttention(heads), ["a", "b"]),
      form(() => new heed.MultiHeadLatentAttention({ ...heads, latentDim: 3, ropeDim: 2 }), ["a"]),
      form(() => new heed.LuongLocalAttention({ radius: 2, seed }), ["a", "b"]),
      form(() => new heed.VisualSentinel({ units: 5, seed }), ["a", "b", "a"]),
      form(() => new heed.MultiHeadPooling(heads), ["a"]),
      form(() => new heed.LSHSelfAttention({ ...heads, buckets: 2 }), ["a"]),
      form(() => new heed.SlotAttention({ slots: 3, slotDim: 5, intermediateDim: 7, seed }), ["a"]),
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
    const biases = ["AlibiBias", "RelativePositionBias"];
    const tested = [...Object.keys(LAYERS), ...biases, ...around, ...more, ...training];
    expect([...ONNX_LAYERS].sort()).toEqual(tested.sort());
  });

  it("every layer of heed is in the table", () => {
    const named = Object.values(heed).flatMap((one) =>
      typeof one === "function" && one.prototype instanceof tfl.layers.Layer && "className" in one
        ? [one.className as string]
        : [],
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((name) => !ONNX_LAYERS.includes(name))).toEqual([]);
  });

  it("hashes into as many buckets as the length of a call asks for, in two factors where these are many", async () => {
    const layer = { numHeads: 1, keyDim: 5, seed };
    const model = modelOf([
      form(() => new heed.LSHSelfAttention({ ...layer, rounds: 2 }), ["a"]),
      form(() => new heed.LSHSelfAttention({ ...layer, useCausalMask: true, rounds: 1 }), ["x"]),
    ]);
    await expectSame(model, "plain", [
      [2, [97, 131]],
      [1, [2087, 2113]],
      [1, [1, 1]],
    ]);
    model.dispose();
  });

  it("a form of a layer that ONNX cannot say is refused by what it says", () => {
    const heads = { numHeads: 2, keyDim: 4, seed };
    const refused: readonly [Form, string][] = [
      [
        form(() => new heed.BlockSparseAttention(heads), ["x"]),
        "BlockSparseAttention: in ONNX its input must have a fixed length where numRandomBlocks is above 0, got length null; export a model without it",
      ],
      [
        form(
          () => tfl.layers.conv2d({ filters: 1, kernelSize: 1, dataFormat: "channelsFirst" }),
          ["picture"],
        ),
        'Conv2D: in ONNX dataFormat must be "channelsLast", got "channelsFirst"; export a model without it',
      ],
      [
        form(() => tfl.layers.batchNormalization({ axis: 1 }), ["fixed"]),
        "BatchNormalization: in ONNX axis must be the last, got 1; export a model without it",
      ],
    ];
    for (const [one, sentence] of refused) {
      const model = modelOf([one]);
      expect(() => exportOnnx(model)).toThrow(sentence);
      model.dispose();
    }
  });

  it("a layer that ONNX cannot say is refused by its name, with those that it can", () => {
    const image = input("image", [4, 4, CHANNELS]);
    const outputs = tfl.layers.upSampling2d({}).apply(image) as Symbolic;
    const model = tfl.model({ inputs: image, outputs });
    expect(() => exportOnnx(model)).toThrow(
      /^exportOnnx: a layer must be one of Attention, .*, got UpSampling2D \(.*\); export a model without it$/,
    );
    model.dispose();
  });

  testNative(80);
});
