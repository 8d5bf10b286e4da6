import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { padBatch } from "../../../src/data/batching.ts";
import { END } from "../../../src/data/bpe.ts";
import type { ShowAttendAndTell, TellerLossOptions } from "../../../src/models/index.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import { onHeed } from "../seq2seq/support.ts";
import { paperLosses } from "./paper.ts";
import { CAPTIONS, nested, tinyImages, tinyTeller } from "./support.ts";

onHeed();

const captions = padBatch(CAPTIONS);

const gradientOf = (model: ShowAttendAndTell, name: string, options: TellerLossOptions, batch = captions) => {
  const images = tinyImages(batch.rows);
  const { loss, grads } = namedGradients(model.parameters.variables, () =>
    model.loss(images, batch, options),
  );
  const found = Float64Array.from(grads[name]!.dataSync());
  tf.dispose([grads, images]);
  return { loss, found };
};

test("with every caption reading the mean, it is soft attention with the bonus of the entropy", () => {
  const [hard, soft] = [tinyTeller({ kind: "hard" }), tinyTeller()];
  const options = { seed: 3, meanShare: 1, entropyWeight: 0 };
  for (const name of ["attention/query", "decoder/fed/kernel", "embedding"]) {
    const [a, b] = [gradientOf(hard, name, options), gradientOf(soft, name, {})];
    expect(a.loss).toBeCloseTo(b.loss, 5);
    for (const [n, value] of b.found.entries()) expect(a.found[n]).toBeCloseTo(value, 5);
  }
  hard.dispose();
  soft.dispose();
});

test("the value of the loss is the cross-entropy of what was drawn, whatever the baseline and the entropy", () => {
  const model = tinyTeller({ kind: "hard" });
  const lossAt = (options: TellerLossOptions) =>
    gradientOf(model, "embedding", { seed: 5, meanShare: 0, ...options }).loss;
  expect(lossAt({ baseline: -3, entropyWeight: 2, rewardWeight: 7 })).toBeCloseTo(lossAt({}), 6);
  expect(lossAt({})).not.toBeCloseTo(lossAt({ seed: 6 }), 3);
  const words = tf.tidy(() => {
    const images = tinyImages(3);
    return tf.sum(model.losses(images, captions, { seed: 5, meanShare: 0 }).words).dataSync()[0]!;
  });
  expect(lossAt({}) * 12).toBeCloseTo(words, 3);
  model.dispose();
});

test("the mean of many draws is the gradient of the expected log-likelihood, by enumeration", () => {
  // One image of 13 places and a caption of one word: the expectation is a sum of 13 terms. Rows draw each by itself.
  const model = tinyTeller({ kind: "hard" });
  const rows = 200;
  const batch = padBatch(Array.from({ length: rows }, () => [END]));
  const image = tinyImages(1);
  const images: tf.Tensor3D = tf.tile(image, [rows, 1, 1]);
  const name = "attention/v";
  const values = nested(model);
  const [features] = image.arraySync();
  const expectedAt = (v: number[]) => {
    const own = { ...values, [name]: v };
    const { steps } = paperLosses(model.config, own, features!, [END], () => undefined);
    return steps[0]!.weights.reduce((sum, share, place) => {
      return sum + share * paperLosses(model.config, own, features!, [END], () => place).words;
    }, 0);
  };
  const v = values[name] as number[];
  const exact = v.map((_, at) => {
    const moved = (change: number) => v.map((value, n) => (n === at ? value + change : value));
    return (expectedAt(moved(1e-4)) - expectedAt(moved(-1e-4))) / 2e-4;
  });
  const drawn = (count: number, baseline: number) =>
    Array.from({ length: count }, (_, seed) => {
      const options = { meanShare: 0, entropyWeight: 0, baseline, seed };
      const { grads } = namedGradients({ [name]: model.parameters.variables[name]! }, () =>
        model.loss(images, batch, options),
      );
      const found = Float64Array.from(grads[name]!.dataSync());
      tf.dispose(grads);
      return found;
    });
  const draws = drawn(40, -2.4);
  const variances = (all: Float64Array[]) =>
    exact.map((_, at) => {
      const mean = all.reduce((sum, draw) => sum + draw[at]!, 0) / all.length;
      return all.reduce((sum, draw) => sum + (draw[at]! - mean) ** 2, 0) / (all.length - 1);
    });
  for (const [at, value] of exact.entries()) {
    const mean = draws.reduce((sum, draw) => sum + draw[at]!, 0) / draws.length;
    expect(Math.abs(mean - value)).toBeLessThan(3 * Math.sqrt(variances(draws)[at]! / draws.length));
  }
  // The baseline lowers the variance.
  const total = (all: Float64Array[]) => variances(all).reduce((sum, one) => sum + one, 0);
  expect(total(draws)).toBeLessThan(0.5 * total(drawn(40, 0)));
  tf.dispose([image, images]);
  model.dispose();
});

test("one seed draws the same places again, and nothing is left behind", () => {
  const model = tinyTeller({ kind: "hard", dropout: 0.3 });
  const before = tf.memory().numTensors;
  const of = (seed: number) => Array.from(gradientOf(model, "attention/query", { seed }).found);
  expect(of(11)).toEqual(of(11));
  expect(of(11)).not.toEqual(of(12));
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
