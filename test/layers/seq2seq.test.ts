import * as tf from "@tensorflow/tfjs-core";
import { initializers, input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { Attention, MultiHeadAttention } from "../../src/layers/index.ts";
import "../../src/host/backend.ts";
import { reloaded } from "./harness.ts";

/** Words of 3 to 5 letters, padded with 0, and the same backwards. */
const [LETTERS, LONGEST, UNITS] = [5, 5, 20];

function words(seed: number, count: number) {
  const random = new RandomStream(seed);
  const source = new Int32Array(count * LONGEST);
  const target = new Int32Array(count * LONGEST);
  for (let n = 0; n < count; n++) {
    const length = 3 + Math.floor(random.uniform() * 3);
    for (let t = 0; t < length; t++) {
      const letter = 1 + Math.floor(random.uniform() * LETTERS);
      source[n * LONGEST + t] = letter;
      target[n * LONGEST + length - 1 - t] = letter;
    }
  }
  // What the decoder is given: where a word begins, and then the letters before.
  const before = target.map((_, at) => (at % LONGEST === 0 ? LETTERS + 1 : target[at - 1]!));
  const ids = (data: Int32Array) => tf.tensor2d(data, [count, LONGEST], "int32");
  return { inputs: [ids(source), ids(before)], target };
}

const one = (x: unknown) => x as SymbolicTensor;
const many = (x: unknown) => x as SymbolicTensor[];

function embed(ids: SymbolicTensor, seed: number) {
  const embeddingsInitializer = initializers.glorotUniform({ seed });
  const options = { inputDim: LETTERS + 2, outputDim: UNITS, maskZero: true, embeddingsInitializer };
  return one(layers.embedding(options).apply(ids));
}

function lstm(seed: number) {
  const [kernelInitializer, recurrentInitializer] = [seed, seed + 1].map((n) =>
    initializers.glorotUniform({ seed: n }),
  );
  return layers.lstm({
    ...{ units: UNITS, returnSequences: true, returnState: true },
    ...{ kernelInitializer: kernelInitializer!, recurrentInitializer: recurrentInitializer! },
  });
}

it("an encoder and a decoder of TensorFlow.js learn with Attention: states handed over, padding masked", async () => {
  await tf.setBackend("heed");
  const [source, before] = [
    input({ shape: [LONGEST], dtype: "int32" }),
    input({ shape: [LONGEST], dtype: "int32" }),
  ];
  const [encoded, h, c] = many(lstm(1).apply(embed(source, 11)));
  const [decoded] = many(lstm(3).apply(embed(before, 12), { initialState: [h!, c!] }));
  const attention = new Attention({ returnAttentionScores: true });
  const [context, weights] = many(attention.apply([decoded!, encoded!]));
  const joint = one(layers.concatenate().apply([decoded!, context!]));
  const letters = layers.dense({
    ...{ units: LETTERS + 1, activation: "softmax" },
    kernelInitializer: initializers.glorotUniform({ seed: 5 }),
  });
  const output = one(letters.apply(joint));
  const inputs = [source, before];
  const reader = model({ inputs, outputs: output });
  const looker = model({ inputs, outputs: weights! });
  const seen = words(1, 512);
  const expected = tf.oneHot(tf.tensor2d(seen.target, [512, LONGEST], "int32"), LETTERS + 1, 1, 0, "float32");
  // Places behind a word's end count for nothing.
  const loss = (y: tf.Tensor, p: tf.Tensor) => {
    const present = tf.sub(1, tf.slice(y, [0, 0, 0], [-1, -1, 1]));
    const surprise = tf.neg(tf.sum(tf.mul(y, tf.log(tf.add(p, 1e-7))), -1, true));
    return tf.mean(tf.mul(surprise, present));
  };
  reader.compile({ optimizer: tf.train.adam(0.02), loss });
  await reader.fit(seen.inputs, expected, { epochs: 14, batchSize: 64, shuffle: false, verbose: 0 });

  const unseen = words(2, 128);
  const accuracy = (of: typeof reader) => {
    const guess = tf.argMax(of.predict(unseen.inputs) as tf.Tensor, -1).dataSync();
    const places = [...unseen.target.keys()].filter((at) => unseen.target[at]! > 0);
    return places.filter((at) => guess[at] === unseen.target[at]).length / places.length;
  };
  expect(accuracy(reader)).toBeGreaterThanOrEqual(0.95);
  expect(accuracy((await reloaded(reader)) as typeof reader)).toBe(accuracy(reader));
  const shares = looker.predict(unseen.inputs) as tf.Tensor;
  const [ids] = unseen.inputs;
  const hidden = tf.mul(shares, tf.cast(tf.expandDims(tf.equal(ids!, 0), 1), "float32"));
  expect(tf.max(tf.abs(hidden)).dataSync()[0]).toBe(0);
});

it("cross-attention of two sequences finds which belongs to which", async () => {
  await tf.setBackend("heed");
  // Items have a code of width 11 where they are asked for, another of width 13 where they stand, in another order.
  const [ITEMS, T, S, PAYLOAD] = [12, 4, 6, 8];
  const random = new RandomStream(3);
  const codes = (width: number) =>
    Array.from({ length: ITEMS }, () => Array.from(random.fillNormal(new Float32Array(width))));
  const [asked, standing] = [codes(11), codes(13)];
  const draw = (count: number) => {
    const rows = Array.from({ length: count }, () => {
      const items = Array.from({ length: ITEMS }, (_, item) => ({ item, key: random.uniform() }))
        .sort((a, b) => a.key - b.key)
        .slice(0, S)
        .map(({ item }) => item);
      const payloads = items.map(() => Array.from(random.fillNormal(new Float32Array(PAYLOAD))));
      const places = Array.from({ length: T }, () => Math.floor(random.uniform() * S));
      return { items, payloads, places };
    });
    return {
      query: tf.tensor3d(rows.map(({ items, places }) => places.map((s) => asked![items[s]!]!))),
      value: tf.tensor3d(
        rows.map(({ items, payloads }) => items.map((item, s) => [...standing![item]!, ...payloads[s]!])),
      ),
      answer: tf.tensor3d(rows.map(({ payloads, places }) => places.map((s) => payloads[s]!))),
      places: rows.flatMap(({ places }) => places),
    };
  };
  const [query, value] = [input({ shape: [T, 11] }), input({ shape: [S, 13 + PAYLOAD] })];
  const attention = new MultiHeadAttention({ numHeads: 1, keyDim: 16, outputShape: [PAYLOAD], seed: 4 });
  const reader = model({ inputs: [query, value], outputs: one(attention.apply([query, value])) });
  reader.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
  const seen = draw(1024);
  await reader.fit([seen.query, seen.value], seen.answer, {
    epochs: 25,
    batchSize: 64,
    shuffle: false,
    verbose: 0,
  });
  const unseen = draw(256);
  const [, weights] = attention.apply([unseen.query, unseen.value], {
    returnAttentionScores: true,
  }) as tf.Tensor[];
  const looked = tf.argMax(tf.squeeze(weights!, [1]), -1).dataSync();
  const right = unseen.places.filter((place, at) => looked[at] === place).length / unseen.places.length;
  expect(right).toBeGreaterThanOrEqual(0.99);
});
