import * as tf from "@tensorflow/tfjs-core";
import { initializers, input, layers, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { fromTorchInProj, multiHeadAttention } from "../../../src/attention/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { GroupQueryAttention, MultiHeadAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend, random, tensor } from "../../attention/support.ts";
import { type FixtureArray, type FixtureArrays, fixture, OUTPUTS, toTensor } from "../fixture.ts";
import { describeLayer, layerInputs, modelOf } from "../harness.ts";

const [T, S, C, CV, CK] = [3, 5, 7, 2, 6];
// Adding one number to all scores of a query changes nothing, so the bias of keys has no gradient.
const still = ["key/bias"];

describeLayer(MultiHeadAttention, {
  "of a sequence to itself, causal": {
    args: { numHeads: 2, keyDim: 3, useCausalMask: true, seed: 7 },
    inputs: [[T, C]],
    heads: { options: ["useCausalMask", "valueDim", "dropout"] },
    still,
  },
  "with sizes of its own, a gate and dropout": {
    args: { numHeads: 2, keyDim: 3, valueDim: 4, outputShape: [5], useGate: true, dropout: 0.2 },
    inputs: [
      [T, C],
      [S, CV],
      [S, CK],
    ],
    still,
  },
  "without biases, with a window and scores": {
    args: {
      ...{ numHeads: 3, keyDim: 2, useBias: false, slidingWindow: 2, returnAttentionScores: true },
      ...{
        kernelRegularizer: "l2",
        kernelConstraint: "nonNeg",
        kernelInitializer: initializers.randomUniform({ minval: 0.01, maxval: 0.4 }),
      },
    },
    inputs: [
      [S, C],
      [S, C],
    ],
  },
  "along both axes of an image": { args: { numHeads: 2, keyDim: 3 }, inputs: [[2, 3, C]], still },
  "along the columns of an image, with scores": {
    args: { numHeads: 2, keyDim: 3, attentionAxes: -2, outputShape: [2, 3], returnAttentionScores: true },
    inputs: [
      [2, 3, C],
      [2, 4, C],
    ],
    still,
  },
});
describeLayer(GroupQueryAttention, {
  "of two heads for each": {
    args: { headDim: 3, numQueryHeads: 4, numKeyValueHeads: 2, seed: 1 },
    inputs: [
      [T, C],
      [S, CV],
    ],
    heads: { options: ["useCausalMask", "numKeyValueHeads", "dropout"] },
    still,
  },
  "of one head for all, gated": {
    args: { headDim: 3, numQueryHeads: 2, numKeyValueHeads: 1, useGate: true, useBias: false },
    inputs: [[T, C]],
  },
});

/** The kernels that a call of a layer runs. */
async function kernelsOf(run: () => tf.Tensor): Promise<string[]> {
  return (await tf.profile(run)).kernels.map(({ name }) => name);
}

onEveryBackend("MultiHeadAttention", () => {
  it("is multiHeadAttention with its weights", () => {
    const [query, value, key] = layerInputs([
      [T, C],
      [S, CV],
      [S, CK],
    ]) as tf.Tensor3D[];
    const layer = new MultiHeadAttention({
      ...{ numHeads: 2, keyDim: 3, valueDim: 4 },
      biasInitializer: initializers.randomNormal({ seed: 1 }),
    });
    const allow = tensor(random(5, [2, T, S]));
    const attentionMask = tf.greater(allow, -0.5);
    const output = layer.apply([query!, value!, key!], { attentionMask }) as tf.Tensor;
    const [wq, bq, wk, bk, wv, bv, wo, bo] = layer.getWeights() as never[];
    const parameters = { wq: wq!, bq: bq!, wk: wk!, bk: bk!, wv: wv!, bv: bv!, wo: wo!, bo: bo! };
    const other = new MultiHeadAttention({ numHeads: 2, keyDim: 3, valueDim: 4 });
    other.apply([query!, value!, key!]);
    other.setParameters(parameters);
    const taken = other.apply([query!, value!, key!], { attentionMask }) as tf.Tensor;
    expect(taken.dataSync()).toEqual(output.dataSync());
    const inputs = { query: query!, value: value!, key: key! };
    const expected = multiHeadAttention(inputs, parameters, {
      allow: tf.expandDims(attentionMask, 1),
    }).output;
    expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-6);
    const asInput = layer.apply([query!, value!, key!, attentionMask]) as tf.Tensor;
    expect(asInput.dataSync()).toEqual(output.dataSync());
  });

  it("computes what PyTorch's MultiheadAttention does with its in_proj weights", () => {
    const given = fixture<{
      state: FixtureArrays;
      inputs: [FixtureArray, FixtureArray];
      output: FixtureArray;
      scores: FixtureArray;
    }>("torch-multi-head");
    const inputs = given.inputs.map((array) => toTensor(array));
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3, returnAttentionScores: true });
    layer.apply(inputs);
    const state = Object.fromEntries(
      Object.entries(given.state).map(([name, array]) => [
        name.replace(/^out_proj\./, "out_proj_"),
        toTensor(array),
      ]),
    );
    layer.setParameters(fromTorchInProj(state as never, 2));
    const [output, scores] = layer.apply(inputs) as tf.Tensor[];
    expect(distance(output!.dataSync(), given.output.values)).toBeLessThanOrEqual(OUTPUTS);
    expect(distance(scores!.dataSync(), given.scores.values)).toBeLessThanOrEqual(OUTPUTS);
  });

  it("gives the output's bias for a query that sees nothing, with and without scores", () => {
    const [x] = layerInputs([[T, C]], 1) as [tf.Tensor];
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3, biasInitializer: "ones" });
    const nothing = { valueMask: tf.zeros([1, T]) };
    const output = layer.apply(x, nothing) as tf.Tensor;
    const [same, scores] = layer.apply(x, { ...nothing, returnAttentionScores: true }) as tf.Tensor[];
    expect([...output.dataSync()]).toEqual(Array(T * C).fill(1));
    expect([...same!.dataSync()]).toEqual(Array(T * C).fill(1));
    expect([...scores!.dataSync()].every((weight) => weight === 0)).toBe(true);
  });

  it("lets NaN where masks hide it reach neither outputs nor gradients", () => {
    const x = layerInputs([[S, C]], 2)[0]!;
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3, seed: 3, useGate: true });
    const mask = tf.tensor2d([1, 1, 0, 1, 0, 0, 1, 1, 1, 1], [2, S], "bool");
    const run = (hole: number) => {
      const holed = tf.where(tf.expandDims(mask, 2), x, hole);
      const call = () => layer.apply(holed, { mask }) as tf.Tensor;
      const shown = tf.expandDims(mask, 2);
      const output = tf.where(shown, call(), 0);
      const weights = layer.weights.map((weight) => weight.read() as tf.Variable);
      const { grads } = tf.variableGrads(() => tf.sum(tf.where(shown, tf.square(call()), 0)), weights);
      return [output, ...weights.map(({ name }) => grads[name]!)].map((t) => [...t.dataSync()]);
    };
    layer.apply(x);
    const clean = run(0);
    expect(run(Number.NaN)).toEqual(clean);
    expect(clean.flat().every(Number.isFinite)).toBe(true);
  });

  it("is equivariant to permutations without positions, and causal where it is to be", () => {
    const x = layerInputs([[S, C]], 1)[0]!;
    const order = tf.tensor1d([3, 1, 4, 0, 2], "int32");
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3 });
    const permuted = layer.apply(tf.gather(x, order, 1)) as tf.Tensor;
    const expected = tf.gather(layer.apply(x) as tf.Tensor, order, 1);
    // Sums of 5 products in another order.
    expect(distance(permuted.dataSync(), expected.dataSync())).toBeLessThanOrEqual(2e-6);
    const causal = new MultiHeadAttention({ numHeads: 2, keyDim: 3, useCausalMask: true });
    const before = (causal.apply(x) as tf.Tensor).dataSync();
    const later = tf.concat([tf.slice(x, [0, 0, 0], [1, 3, C]), tf.fill([1, 2, C], Number.NaN)], 1);
    const after = (causal.apply(later) as tf.Tensor).dataSync();
    expect(after.slice(0, 3 * C)).toEqual(before.slice(0, 3 * C));
  });

  it("sees no padding in a sequential model, behind a bidirectional layer too", () => {
    const embedding = () =>
      layers.embedding({ inputDim: 9, outputDim: 6, maskZero: true, inputShape: [null] });
    const gru = layers.gru({ units: 3, returnSequences: true, recurrentInitializer: "glorotUniform" });
    const attention = () => new MultiHeadAttention({ numHeads: 2, keyDim: 3 });
    const ids = (...row: number[]) => tf.tensor2d([row], [1, row.length], "int32");
    for (const stack of [
      [embedding(), attention()],
      [embedding(), layers.bidirectional({ layer: gru as never, mergeMode: "concat" }), attention()],
    ]) {
      const run = sequential({ layers: stack });
      const [padded, short] = [ids(1, 2, 0, 0), ids(1, 2)].map((x) => run.predict(x) as tf.Tensor);
      // The same sums with zeros more in them.
      expect(distance(padded!.dataSync().slice(0, 12), short!.dataSync())).toBeLessThanOrEqual(1e-6);
    }
  });

  it("takes the fused path whatever is asked: dropout, scores, a window, masks", async () => {
    const x = layerInputs([[S, C]], 2)[0]!;
    const mask = tf.ones([2, S], "bool");
    for (const [args, options] of [
      [{}, {}],
      [{ dropout: 0.1 }, { training: true }],
      [{ dropout: 0.1 }, {}],
      [{ returnAttentionScores: true }, {}],
      [
        { slidingWindow: 2, flashAttention: true, dropout: 0.5 },
        { training: true, mask },
      ],
    ] as const) {
      const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3, ...args });
      const run = () => [layer.apply(x, options)].flat()[0] as tf.Tensor;
      run();
      const names = await kernelsOf(run);
      if (tf.getBackend() === "heed") {
        expect(names.filter((name) => name === "HeedAttention")).toHaveLength(1);
        expect(names.filter((name) => /Softmax|BatchMatMul|Transpose/.test(name))).toEqual([]);
      }
    }
  });
});

beforeAll(() => tf.setBackend("cpu"));
const x = (...shape: number[]) => tf.zeros(shape);
const make = (more = {}) => new MultiHeadAttention({ numHeads: 2, keyDim: 3, ...more });
const refused: [string, () => unknown, typeof OptionError | typeof ShapeError, string][] = [
  [
    "an input without positions",
    () => new MultiHeadAttention({ numHeads: 1, keyDim: 1 }).apply(tf.zeros([2, 4])),
    ShapeError,
    "MultiHeadAttention: query [B, …, C] must have rank 3 or more, got rank 2; reshape it first",
  ],
  [
    "no heads",
    () => new MultiHeadAttention({ numHeads: 0, keyDim: 3 }),
    OptionError,
    "MultiHeadAttention: numHeads must be an integer ≥ 1, got 0; a layer needs one",
  ],
  [
    "dropout of everything",
    () => make({ dropout: 1 }),
    OptionError,
    "MultiHeadAttention: dropout must be at least 0 and below 1, got 1; leave it out for 0",
  ],
  [
    "a regularizer of activity",
    () => make({ activityRegularizer: "l2" }),
    OptionError,
    'MultiHeadAttention: activityRegularizer must be left out, since TensorFlow.js has no regularizers of activity, got "l2"; or leave it out',
  ],
  [
    "heads that do not share evenly",
    () => new GroupQueryAttention({ headDim: 3, numQueryHeads: 3, numKeyValueHeads: 2 }),
    ShapeError,
    "GroupQueryAttention: query heads H=3 must be a multiple of key/value heads Hkv=2, got 3 and 2; choose numKeyValueHeads 1 or 3",
  ],
  [
    "axes that are not there",
    () => make({ attentionAxes: [1, 3] }).apply(x(2, 3, 4, 5)),
    OptionError,
    "MultiHeadAttention: attentionAxes must be different axes between the first and the last of an input of rank 4, " +
      "got 1,3; choose one in that range or leave it out",
  ],
  [
    "a mask of an image as one of a sequence",
    () => make().apply(x(2, 3, 4, 5), { attentionMask: x(2, 12, 12) }),
    ShapeError,
    "MultiHeadAttention: attentionMask [B, …T, …S] must have shape [2, 3, 4, 3, 4], got shape [2, 12, 12]; it says of " +
      "each position whether it is there",
  ],
  [
    "images that differ beside the axes of attention",
    () => make({ attentionAxes: 1 }).apply([x(2, 3, 4, 5), x(2, 3, 3, 5)]),
    ShapeError,
    "MultiHeadAttention: value and key must have the rank of query and its sizes beside attentionAxes, got shapes " +
      "[2, 3, 4, 5], [2, 3, 3, 5], [2, 3, 3, 5] of query, value and key; give them the same sizes along 0, 2",
  ],
  [
    "an attention mask of another shape",
    () => make().apply([x(2, 3, 5), x(2, 4, 5)], { attentionMask: x(2, 4, 3) }),
    ShapeError,
    "MultiHeadAttention: attentionMask [B, T, S] must have shape [2, 3, 4], got shape [2, 4, 3]; it says of each position " +
      "whether it is there",
  ],
  [
    "a mask in the call of a model",
    () => make().apply(input({ shape: [3, 5] }), { attentionMask: x(2, 3, 3) }),
    OptionError,
    "MultiHeadAttention: a layer in a model must have its options in its configuration, got attentionMask in a call, " +
      "which TensorFlow.js does not repeat when the model runs; make it an input of the layer",
  ],
  [
    "a width that is not known",
    () => modelOf(make(), [[3, null]]),
    OptionError,
    "MultiHeadAttention: the shape of the weight query/kernel must be known and without 0, got [undefined, 2, 3] from " +
      "[query [B, …, C], value [B, …, Cv]?, key [B, …, Ck]?, attentionMask […]?]; give the input layers those sizes",
  ],
];
it.each(refused)("MultiHeadAttention refuses %s", (_, call, type, message) => {
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});
