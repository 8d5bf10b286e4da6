import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { AdditiveAttention, Attention, BahdanauAttention } from "../../../src/layers/index.ts";
import { onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [T, S, D, DV] = [3, 5, 7, 2];
const pair = [
  [T, D],
  [S, D],
];
const triple = [
  [T, D],
  [S, DV],
  [S, D],
];
type Symbolic = ReturnType<typeof input>;

describeLayer(Attention, {
  "with a scale and dropout": { args: { useScale: true, dropout: 0.3, seed: 4 }, inputs: triple },
  "of concatenated queries and keys, causal, with scores": {
    args: { scoreMode: "concat", useScale: true, useCausalMask: true, returnAttentionScores: true },
    inputs: pair,
  },
});
describeLayer(AdditiveAttention, {
  "with its scale": { args: { dropout: 0.3 }, inputs: triple },
  "without a scale, causal": { args: { useScale: false, useCausalMask: true }, inputs: pair },
});

onEveryBackend("Attention", () => {
  it.each(["dot", "concat"] as const)(
    "gives 0 for a query that sees nothing, and lets NaN in hidden places reach nothing (%s)",
    (scoreMode) => {
      const [query, value] = layerInputs(pair, 1) as [tf.Tensor, tf.Tensor];
      const layer = new Attention({ scoreMode });
      const mask = tf.tensor2d([1, 0, 1, 0, 0], [1, S], "bool");
      const holes = tf.where(tf.expandDims(mask, 2), value, Number.NaN);
      const clean = layer.apply([query, value], { mask: [null, mask] }) as tf.Tensor;
      const dirty = layer.apply([query, holes], { mask: [null, mask] }) as tf.Tensor;
      expect([...dirty.dataSync()]).toEqual([...clean.dataSync()]);
      const none = layer.apply([query, holes], { mask: [null, tf.zeros([1, S])] }) as tf.Tensor;
      expect([...none.dataSync()].every((value) => value === 0)).toBe(true);
    },
  );

  it("takes the masks of its inputs from the model, and hands on that of the queries", () => {
    const words = input({ shape: [T], dtype: "int32" });
    const source = input({ shape: [S], dtype: "int32" });
    const embed = () => layers.embedding({ inputDim: 9, outputDim: D, maskZero: true });
    const [query, value] = [embed().apply(words), embed().apply(source)] as [Symbolic, Symbolic];
    const attention = new Attention();
    const context = attention.apply([query, value]) as Symbolic;
    const run = model({ inputs: [words, source], outputs: [query, value, context] });
    const ids = [tf.tensor2d([[3, 4, 0]], [1, T], "int32"), tf.tensor2d([[5, 0, 6, 0, 0]], [1, S], "int32")];
    const [q, v, output] = run.predict(ids) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const masks = ids.map((x) => tf.notEqual(x, 0));
    const expected = attention.apply([q, v], { mask: masks }) as tf.Tensor;
    expect([...output.dataSync()]).toEqual([...expected.dataSync()]);
    expect([...output.dataSync()].slice(2 * D).every((value) => value === 0)).toBe(true);
    expect([...output.dataSync()]).not.toEqual([...(attention.apply([q, v]) as tf.Tensor).dataSync()]);
  });

  it("drops weights in training only, and returns them undropped", () => {
    const x = layerInputs(pair);
    const layer = new Attention({ dropout: 0.5, seed: 1, returnAttentionScores: true });
    const [still, trained] = [false, true].map((training) => layer.apply(x, { training }) as tf.Tensor[]);
    expect(trained![0]!.dataSync()).not.toEqual(still![0]!.dataSync());
    expect(trained![1]!.dataSync()).toEqual(still![1]!.dataSync());
  });
});

onEveryBackend("queries that are not there", () => {
  it.each([
    new Attention({ useScale: true }),
    new Attention({ scoreMode: "concat", useScale: true }),
    new AdditiveAttention(),
    new BahdanauAttention({ units: 2 }),
  ])("give 0 and, where they are NaN, reach no gradient ($name)", (layer) => {
    const [query, value] = layerInputs(pair, 1) as [tf.Tensor, tf.Tensor];
    const present = tf.tensor2d([1, 1, 0], [1, T], "bool");
    const holes = tf.where(tf.expandDims(present, 2), query, Number.NaN);
    const run = (queries: tf.Tensor) => layer.apply([queries, value], { mask: [present, null] }) as tf.Tensor;
    const output = run(holes);
    expect([...output.dataSync()]).toEqual([...run(query).dataSync()]);
    expect([...output.dataSync()].slice(2 * D)).toEqual(new Array(D).fill(0));
    const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const gradients = (queries: tf.Tensor) => {
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(run(queries))) as tf.Scalar, variables);
      return Object.values(grads).map((gradient) => [...gradient.dataSync()]);
    };
    expect(gradients(holes)).toEqual(gradients(query));
    expect(gradients(holes).flat().every(Number.isFinite)).toBe(true);
  });
});

beforeAll(() => tf.setBackend("cpu"));
const zeros = (...shapes: number[][]) => shapes.map((shape) => tf.zeros(shape));
const refused: [string, () => unknown, typeof OptionError | typeof ShapeError, string][] = [
  [
    "one input",
    () => new Attention().apply(zeros([2, T, D])[0]!),
    ShapeError,
    "Attention: its inputs must be [query [B, T, D], value [B, S, Dv], key [B, S, D]?], got 1 of them; apply it to a " +
      "list in that order",
  ],
  [
    "values of another width that are the keys",
    () => new Attention().apply(zeros([2, T, D], [2, S, DV])),
    ShapeError,
    "Attention: query [B, T, D] and value [B, S, Dv], which are the keys too, must have the same width, got D=7 and " +
      "Dv=2; give keys of that width as the third input",
  ],
  [
    "keys of another length",
    () => new AdditiveAttention().apply(zeros([2, T, D], [2, S, DV], [2, 4, D])),
    ShapeError,
    "AdditiveAttention: value [B, S, Dv] and key [B, S, D] must have the same S, got shapes [2, 5, 2] and [2, 4, 7]; " +
      "make their S equal",
  ],
  [
    "a mask of another shape",
    () => new Attention().apply(zeros([2, T, D], [2, S, D]), { mask: [null, tf.ones([2, T], "bool")] }),
    ShapeError,
    "Attention: the mask of value [B, S, Dv] must have shape [2, 5], got shape [2, 3]; it says of each position " +
      "whether it is there",
  ],
  [
    "a score that it does not have",
    () => new Attention({ scoreMode: "general" as never }),
    OptionError,
    'Attention: scoreMode must be "dot" or "concat", got "general"; leave it out for "dot"',
  ],
  [
    "a misspelt option of the call",
    () => new Attention().apply(zeros([2, T, D], [2, T, D]), { useCausalmask: true }),
    OptionError,
    "Attention: every option of a call must be one of training, mask, useCausalMask, returnAttentionScores, got " +
      "useCausalmask; correct its spelling or remove it",
  ],
  [
    "an option of the call in a model",
    () =>
      new Attention().apply([input({ shape: [T, D] }), input({ shape: [T, D] })], { useCausalMask: true }),
    OptionError,
    "Attention: a layer in a model must have its options in its configuration, got useCausalMask in a call, which " +
      "TensorFlow.js does not repeat when the model runs; give useCausalMask to the constructor",
  ],
];
it.each(refused)("Attention refuses %s", (_, call, type, message) => {
  expect(call).toThrow(type);
  expect(call).toThrow(expect.objectContaining({ message }));
});
