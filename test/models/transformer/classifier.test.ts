import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { beforeAll, expect, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import {
  bert,
  classLoss,
  gpt2,
  Transformer,
  vit,
  withClassifier,
} from "../../../src/models/transformer/index.ts";
import { Adam } from "../../../src/train/adam.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";

const SIZES = {
  layers: 3,
  width: 6,
  heads: 2,
  inner: 7,
  vocabulary: 13,
  positions: 11,
  head: false,
  pooler: false,
};
const LABELS = [2, 0, 1];

beforeAll(useHeedBackend);

const tokens = () =>
  tf.tensor2d([[2, 4, 3, 5, 7], [2, 7, 3, 8, 9], [2, 5, 5, 3, 1]], undefined, "int32"); // biome-ignore format: rows
const lossOf = (model: Transformer) =>
  classLoss(model.classLogits(model.encode({ tokens: tokens() })), LABELS);

test("a classifier is what the model was, with a pooler and a last map beside it", () => {
  const base = new Transformer(bert(SIZES), 1);
  const states = tf.tidy(() => base.encode({ tokens: tokens() }).dataSync());
  const count = tf.memory().numTensors;
  const model = withClassifier(base, 3, 5);
  expect(tf.memory().numTensors - count).toBe(4);
  expect(tf.tidy(() => model.encode({ tokens: tokens() }).dataSync())).toEqual(states);
  const fresh = new Transformer(bert({ ...SIZES, pooler: true, classes: 3 }), 5);
  for (const name of ["pooler/weight", "classifier/weight", "classifier/bias"])
    expect(model.parameters.variables[name]!.dataSync()).toEqual(
      fresh.parameters.variables[name]!.dataSync(),
    );
  // Another number of classes takes the place of the first; nothing of it is left.
  const other = withClassifier(model, 2);
  expect(other.parameters.vector("classifier/bias").shape).toEqual([2]);
  expect(tf.memory().numTensors - count).toBe(4 + Object.keys(fresh.parameters.variables).length);
  fresh.dispose();
  other.dispose();
});

test("a ViT is classified by its class token, without a pooler; a decoder is not", () => {
  const base = new Transformer(vit({ layers: 1, width: 6, heads: 2, patches: 4, patchSize: 5 }), 1);
  const model = withClassifier(base, 2);
  expect(model.config.pooler).toBe(false);
  model.dispose();
  const decoder = new Transformer(gpt2({ layers: 2, width: 6, heads: 2, vocabulary: 13, positions: 11 }), 1);
  expect(() => withClassifier(decoder, 2)).toThrow(
    "withClassifier: the model must be an encoder alone, got 0 layers of an encoder and 2 of a decoder; take BERT or one of its kind",
  );
  decoder.dispose();
});

test("frozen parameters keep every bit, and have no gradients, no moments and no gradient kernels", async () => {
  const model = new Transformer(bert({ ...SIZES, pooler: true, classes: 3 }), 1);
  const all = model.parameters.variables;
  const left = model.parameters.without("embedding/*", /^encoder\/[01]\//);
  const names = Object.keys(left);
  expect(names.every((name) => /^(encoder\/2|pooler|classifier)\//.test(name))).toBe(true);
  expect(names.length).toBe(16 + 4);
  const bits = Object.entries(all).map(([name, variable]) => [name, variable.dataSync()] as const);
  const adam = new Adam({ learningRate: 0.02 });
  const whole = namedGradients(all, () => lossOf(model));
  const losses: number[] = [];
  for (let k = 0; k < 15; k++) {
    const { loss, grads } = namedGradients(left, () => lossOf(model));
    // The gradients of what is trained are those of full training, bit for bit.
    if (k === 0)
      for (const name of names) expect(grads[name]!.dataSync()).toEqual(whole.grads[name]!.dataSync());
    adam.apply(grads, left);
    tf.dispose(grads);
    losses.push(loss);
  }
  expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
  for (const [name, before] of bits) {
    const now = all[name]!.dataSync();
    expect([name, now.every((value, n) => value === before[n])]).toEqual([name, !(name in left)]);
  }
  const state = adam.state();
  expect(Object.keys(state).length).toBe(1 + 2 * names.length);
  tf.dispose([state, whole.grads]);
  adam.dispose();

  const products = async (variables: Record<string, tf.Variable>) => {
    const { kernels } = await tf.profile(() =>
      tf.dispose(namedGradients(variables, () => lossOf(model)).grads),
    );
    return kernels.filter(({ name }) => /^HeedLinearGrad(Weights|Input)$/.test(name)).length;
  };
  // A layer has six maps, each with two products: two of three layers have neither. The three maps that read the first state
  // that is trained on need no gradient of it.
  expect(await products(all)).toBe(2 * (3 * 6 + 2));
  expect(await products(left)).toBe(2 * (6 + 2) - 3);
  model.dispose();
});

test("patterns that fit nothing, or all, are refused", () => {
  const model = new Transformer(bert(SIZES), 1);
  expect(() => model.parameters.without("encoder/3/*")).toThrow(
    "Parameters.without: a pattern must fit a parameter, whose names begin with embedding, encoder, got encoder/3/*; print Object.keys(model.parameters.variables)",
  );
  expect(() => model.parameters.without("*")).toThrow(
    "Parameters.without: a parameter must be left to train, got none; freeze fewer",
  );
  // A dot is a dot and no letter else.
  expect(() => model.parameters.without("encoder.0*")).toThrow("got encoder.0*");
  expect(Object.keys(model.parameters.without()).length).toBe(Object.keys(model.parameters.variables).length);
  model.dispose();
});

test("the loss of classes is the mean of −log p", () => {
  const logits = tf.tensor2d([[0, Math.log(3)], [Math.log(4), 0]]); // biome-ignore format: rows
  const [loss] = classLoss(logits, [1, 1]).dataSync();
  expect(loss).toBeCloseTo((Math.log(4 / 3) + Math.log(5)) / 2, 6);
});
