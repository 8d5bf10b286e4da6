import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { padBatch } from "../../../src/data/batching.ts";
import { END } from "../../../src/data/bpe.ts";
import type { PointerGenerator, PointerLossOptions } from "../../../src/models/index.ts";
import { DEFAULT_POINTER_GENERATOR, PointerGenerator as Model } from "../../../src/models/index.ts";
import { gradcheck } from "../../../src/testing/index.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import { CELLS, onHeed } from "../seq2seq/support.ts";
import { paperLosses } from "./paper.ts";
import { SOURCES, TARGETS, tinyConfig, tinyPointer } from "./support.ts";

onHeed();

/** Some 10 recurrent steps in float32, each a few roundings of 2⁻²⁴ on numbers below 10. */
const TOLERANCE = 1e-5;

const batch = () => ({ source: padBatch(SOURCES), target: padBatch(TARGETS) });

function lossesOf(model: PointerGenerator, { source, target } = batch(), options: PointerLossOptions = {}) {
  return tf.tidy(() => {
    const { words, coverage } = model.losses(source, target, options);
    return { words: words.dataSync()[0]!, coverage: coverage.dataSync()[0]! };
  });
}

function lossOf(model: PointerGenerator, options: PointerLossOptions = {}, { source, target } = batch()) {
  return tf.tidy(() => model.loss(source, target, options).dataSync()[0]!);
}

const nested = (model: PointerGenerator) =>
  Object.fromEntries(
    Object.entries(model.parameters.variables).map(([name, x]) => [name, x.arraySync() as unknown]),
  );

const VARIANTS = [
  { pointer: true, coverage: true },
  { pointer: true, coverage: true, inputFeeding: false },
  { pointer: true, coverage: false },
  { pointer: false, coverage: true },
  { pointer: false, coverage: false },
] as const;

describe.each(CELLS)("with a %s", (cell) => {
  test.each(VARIANTS)("both losses are the paper's: %o", (variant) => {
    const model = tinyPointer({ cell, ...variant });
    const expected = paperLosses(model.config, nested(model), SOURCES, TARGETS);
    const found = lossesOf(model);
    expect(Math.abs(found.words - expected.words)).toBeLessThan(TOLERANCE);
    expect(Math.abs(found.coverage - expected.coverage)).toBeLessThan(TOLERANCE);
    const whole = expected.words + (variant.coverage ? 0.5 * expected.coverage : 0);
    expect(Math.abs(lossOf(model, { coverageWeight: 0.5 }) - whole)).toBeLessThan(TOLERANCE);
    model.dispose();
  });

  test.each([VARIANTS[0], VARIANTS[1], VARIANTS[4]])(
    "the gradient of every parameter is that of the paper in float64: %o",
    (variant) => {
      const model = tinyPointer({ cell, ...variant });
      const { variables } = model.parameters;
      const { grads } = namedGradients(variables, () => {
        const { source, target } = batch();
        return model.loss(source, target);
      });
      const analytic = Object.fromEntries(Object.entries(grads).map(([name, x]) => [name, x.dataSync()]));
      tf.dispose(grads);
      expect(Object.keys(analytic).filter((name) => analytic[name]!.every((g) => g === 0))).toEqual([]);
      const inputs = Object.fromEntries(
        Object.entries(variables).map(([name, x]) => [name, Float64Array.from(x.dataSync())]),
      );
      const loss = (given: Record<string, Float64Array>) => {
        const values = Object.fromEntries(
          Object.entries(given).map(([name, x]) => [name, rowsOf([...x], variables[name]!.shape)]),
        );
        const { words, coverage } = paperLosses(model.config, values, SOURCES, TARGETS);
        return words + (variant.coverage ? coverage : 0);
      };
      // Sums of parts near 0.1 in float32, some ten roundings of 2⁻²⁴ each, against gradients from 6e-5 on.
      gradcheck(loss, inputs, analytic, 1e-3);
      model.dispose();
    },
  );
});

const rowsOf = (values: number[], shape: readonly number[]): number[] | number[][] =>
  shape.length === 1
    ? values
    : Array.from({ length: shape[0]! }, (_, i) => values.slice(i * shape[1]!, (i + 1) * shape[1]!));

test("what stands in the padding changes nothing, in the loss or in a gradient", () => {
  const model = tinyPointer();
  const grads = (id: number) => {
    const { source, target } = { source: padBatch(SOURCES, id), target: padBatch(TARGETS) };
    const found = namedGradients(model.parameters.variables, () => model.loss(source, target));
    const read = Object.entries(found.grads).map(([name, x]) => [name, [...x.dataSync()]]);
    tf.dispose(found.grads);
    return { loss: found.loss, ...Object.fromEntries(read) };
  };
  const zeros = grads(0);
  // 9 is a word of a target, 13 one that no source has.
  expect(grads(9)).toEqual(zeros);
  expect(grads(13)).toEqual(zeros);
  model.dispose();
});

test("coverage off is the model without one, and its weight then has a gradient of 0", () => {
  const model = tinyPointer();
  const { "attention/coverage": _, ...rest } = Object.fromEntries(
    Object.entries(model.parameters.variables).map(([name, x]) => [name, x.dataSync() as Float32Array]),
  );
  const without = new Model(tinyConfig({ coverage: false }), rest);
  expect(lossOf(model, { coverage: false })).toBe(lossOf(without));
  expect(lossOf(model)).not.toBe(lossOf(without));
  const { source, target } = batch();
  const { grads } = namedGradients(model.parameters.variables, () =>
    model.loss(source, target, { coverage: false }),
  );
  expect([...grads["attention/coverage"]!.dataSync()]).toEqual([0, 0]);
  tf.dispose(grads);
  expect(() => lossOf(without, { coverage: true })).toThrow(
    "PointerGenerator: coverage must have a weight, got a configuration without; make the model with coverage: true, or leave it off",
  );
  model.dispose();
  without.dispose();
});

test("coverage that is turned on late begins where the model without it was", () => {
  const config = {
    ...DEFAULT_POINTER_GENERATOR,
    vocabulary: 11,
    embedding: 5,
    encoder: 3,
    decoder: 7,
    attention: 2,
  };
  const late = new Model(config, 3);
  const { words } = lossesOf(late, batch(), { coverage: false });
  expect(lossesOf(late).words).toBe(words);
  late.dispose();
});

test("a p_gen of exactly 0 or 1, and a word out of reach, give finite losses and gradients", () => {
  for (const z of [-1e30, -1e4, 1e4, 1e30]) {
    const model = tinyPointer({}, 1, 0.1);
    model.parameters.variables["pointer/bias"]!.assign(tf.tensor1d([z]));
    const source = padBatch(SOURCES);
    // 15 is in no source.
    const target = padBatch([
      [11, 7, END],
      [15, 6, END],
      [4, END],
    ]);
    const { loss, grads } = namedGradients(model.parameters.variables, () => model.loss(source, target));
    expect(Number.isFinite(loss), `z = ${z}`).toBe(true);
    for (const [name, x] of Object.entries(grads))
      expect(x.dataSync().every(Number.isFinite), `${name} at z = ${z}`).toBe(true);
    tf.dispose(grads);
    model.dispose();
  }
});

test("a loss with gradients leaves no tensor behind, and dispose leaves none of the model", () => {
  const before = tf.memory().numTensors;
  const model = tinyPointer();
  const made = tf.memory().numTensors;
  lossOf(model);
  lossesOf(model);
  const { source, target } = batch();
  tf.dispose(namedGradients(model.parameters.variables, () => model.loss(source, target)).grads);
  expect(tf.memory().numTensors).toBe(made);
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("the same seed drops the same, and no seed drops nothing", () => {
  const model = tinyPointer({ dropout: 0.4 });
  expect(lossOf(model, { dropoutSeed: 4 })).toBe(lossOf(model, { dropoutSeed: 4 }));
  expect(lossOf(model, { dropoutSeed: 4 })).not.toBe(lossOf(model, { dropoutSeed: 6 }));
  const whole = tinyPointer();
  expect(lossOf(model)).toBe(lossOf(whole));
  model.dispose();
  whole.dispose();
});

test("an empty source, no rows, and words below 0 are refused", () => {
  const model = tinyPointer();
  const before = tf.memory().numTensors;
  const target = padBatch([[7, END], [END]]);
  const losses = (sources: number[][], given = target) =>
    lossesOf(model, { source: padBatch(sources), target: given });
  expect(() => losses([[4], []])).toThrow(
    "PointerGenerator: every source must have a word, got none in source 1; leave it out",
  );
  expect(() => losses([], padBatch([]))).toThrow(
    "PointerGenerator: a target must have a word, got 0 rows of 0; encode it with the vocabulary of the model",
  );
  expect(() => losses([[4], [-1]])).toThrow(
    "PointerGenerator: a source's words must be ≥ 0, got -1; encode it with the vocabulary of the model",
  );
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});

test("a configuration that is none is refused with its name", () => {
  const make = (changes: object) => () => new Model({ ...tinyConfig(), ...changes }, 1);
  expect(make({ vocabulary: 4 })).toThrow("PointerGenerator: vocabulary must be an integer ≥ 5, got 4");
  expect(make({ cell: "rnn" })).toThrow(
    `PointerGenerator: the configuration's cell must be one of gru, lstm, got "rnn"; correct it`,
  );
  expect(make({ pointer: 1 })).toThrow(
    "the configuration's pointer must be true or false, got 1; correct it",
  );
  expect(make({ dropout: 1 })).toThrow("dropout must be a number from 0 to below 1, got 1; correct it");
  expect(make({ beam: 4 })).toThrow("the configuration's beam must be one of vocabulary, embedding, encoder");
});
