import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { padBatch } from "../../../src/data/batching.ts";
import { doublyStochasticPenalty, ShowAttendAndTell, unevenness } from "../../../src/models/index.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import { onHeed } from "../seq2seq/support.ts";
import { paperLosses } from "./paper.ts";
import { CAPTIONS, nested, tinyConfig, tinyImages, tinyTeller } from "./support.ts";

onHeed();

/** Some 6 recurrent steps in float32, each a few roundings of 2⁻²⁴ on numbers below 10. */
const TOLERANCE = 1e-5;
const captions = padBatch(CAPTIONS);
const WORDS = 12;

test.each([
  ["soft", 0],
  ["soft", 0.3],
  ["hard", 0],
] as const)(
  "the losses of %s attention are the paper's, with %f of the contexts dropped",
  (kind, contextDropout) => {
    const model = tinyTeller({ kind, contextDropout });
    const images = tinyImages(3);
    const expected = images
      .arraySync()
      .map((one, b) => paperLosses(model.config, nested(model), one, CAPTIONS[b]!));
    tf.tidy(() => {
      const { words, penalty, drawn, entropy } = model.losses(images, captions);
      for (const [b, { words: surprise, penalty: uneven, steps }] of expected.entries()) {
        expect(Math.abs(words.dataSync()[b]! - surprise)).toBeLessThan(TOLERANCE * CAPTIONS[b]!.length);
        expect(Math.abs(penalty.dataSync()[b]! - uneven)).toBeLessThan(TOLERANCE * 13);
        const own = steps.reduce(
          (sum, { weights }) => sum - weights.reduce((s, a) => s + a * Math.log(a), 0),
          0,
        );
        expect(entropy.dataSync()[b]!).toBeCloseTo(own, 4);
      }
      expect(Array.from(drawn.dataSync())).toEqual([0, 0, 0]);
      const whole =
        expected.reduce((sum, one) => sum + one.words + (kind === "soft" ? 0.3 * one.penalty : 0), 0) / WORDS;
      expect(model.loss(images, captions, { penaltyWeight: 0.3 }).dataSync()[0]!).toBeCloseTo(whole, 4);
      expect(model.loss(images, captions, { pieces: 5 }).dataSync()[0]! * 5).toBeCloseTo(
        expected.reduce((sum, one) => sum + one.words, 0),
        3,
      );
    });
    model.dispose();
  },
);

test("the gradient of every parameter and of the image is that of central differences", () => {
  const model = tinyTeller();
  const { variables } = model.parameters;
  const images = tinyImages(3);
  const { grads } = namedGradients(variables, () => model.loss(images, captions, { penaltyWeight: 0.3 }));
  const values = nested(model);
  for (const [name, variable] of Object.entries(variables)) {
    const found = grads[name]!.dataSync();
    const before = variable.dataSync().slice();
    // The first, one in the middle and the last number of each.
    for (const at of new Set([0, before.length >> 1, before.length - 1])) {
      const lossAt = (change: number) => {
        const moved = before.slice();
        moved[at] = before[at]! + change;
        const own = { ...values, [name]: tf.tidy(() => tf.tensor(moved, variable.shape).arraySync()) };
        const all = images.arraySync().map((one, b) => paperLosses(model.config, own, one, CAPTIONS[b]!));
        return all.reduce((sum, one) => sum + one.words + 0.3 * one.penalty, 0) / WORDS;
      };
      const step = 1e-3;
      const expected = (lossAt(step) - lossAt(-step)) / (2 * step);
      expect(Math.abs(found[at]! - expected), `${name}[${at}]`).toBeLessThan(
        2e-4 * Math.max(1, Math.abs(expected)),
      );
    }
  }
  tf.dispose(grads);
  // And that of the image, through which a grid learns.
  const features = images.arraySync();
  const found = tf.tidy(() =>
    tf
      .grad((x) => model.loss(x as tf.Tensor3D, captions))(images)
      .arraySync(),
  ) as number[][][];
  for (const [b, place, channel] of [
    [0, 0, 0],
    [1, 7, 2],
    [2, 12, 1],
  ] as const) {
    const lossAt = (change: number) => {
      const moved = structuredClone(features[b]!);
      moved[place]![channel]! += change;
      return paperLosses(model.config, values, moved, CAPTIONS[b]!).words / WORDS;
    };
    const expected = (lossAt(1e-4) - lossAt(-1e-4)) / 2e-4;
    expect(Math.abs(found[b]![place]![channel]! - expected)).toBeLessThan(1e-5);
  }
  model.dispose();
});

test("a context that is dropped leaves its word to what the step itself reads", () => {
  const lossAt = (contextDropout: number, seed?: number) => {
    const model = tinyTeller({ contextDropout });
    const images = tinyImages(3);
    const loss = tf.tidy(
      () => model.loss(images, captions, seed === undefined ? {} : { seed }).dataSync()[0]!,
    );
    images.dispose();
    model.dispose();
    return loss;
  };
  expect(lossAt(0.5, 3)).toBe(lossAt(0.5, 3));
  expect(lossAt(0.5, 3)).not.toBe(lossAt(0.5, 4));
  expect(lossAt(0, 3)).toBe(lossAt(0));
  // Nearly none are dropped, and nearly all: a loss of its own each.
  expect(lossAt(1e-9, 3)).toBeCloseTo(lossAt(0), 6);
  expect(lossAt(0.999999, 3)).toBeCloseTo(lossAt(0.999999), 4);
});

test("a caption costs the same whatever stands beside it in its batch", () => {
  const model = tinyTeller();
  const images = tinyImages(3);
  const together = tf.tidy(() => Array.from(model.losses(images, captions).words.dataSync()));
  for (const [b, caption] of CAPTIONS.entries()) {
    const alone = tf.tidy(() =>
      Array.from(model.losses(tf.slice(images, [b, 0, 0], [1, 13, 3]), padBatch([caption])).words.dataSync()),
    );
    expect(alone[0]).toBeCloseTo(together[b]!, 5);
  }
  model.dispose();
});

test("the penalty is least where all places are looked at equally, and both forms agree", () => {
  const maps = [
    [0.5, 0.5, 0],
    [1, 0, 0],
  ];
  // (1 − 1.5)² + (1 − 0.5)² + 1
  expect(unevenness(maps)).toBeCloseTo(1.5, 12);
  const weights = tf.tensor3d([maps[0]!, maps[1]!, [9, 9, 9]].map((map) => [map]));
  const isWord = tf.tensor2d([[1], [1], [0]]);
  expect(Array.from(doublyStochasticPenalty(weights, isWord).dataSync())).toEqual([1.5]);
  const even = [1, 2].map(() => [1 / 3, 1 / 3, 1 / 3]);
  expect(unevenness(even)).toBeCloseTo((3 - 2) ** 2 / 3, 12);
  expect(unevenness([])).toBe(0);
});

test("what a model cannot be, and cannot read, is refused in a sentence", () => {
  const make = (changes: object) => () => new ShowAttendAndTell({ ...tinyConfig(), ...changes } as never);
  expect(make({ kind: "loud" })).toThrow(
    'ShowAttendAndTell: the configuration\'s kind must be one of soft, hard, got "loud"; correct it',
  );
  expect(make({ dropout: 1 })).toThrow("dropout must be a number from 0 to below 1, got 1");
  expect(make({ heads: 1 })).toThrow("the configuration's heads must be one of vocabulary");
  expect(make({ decoder: 0 })).toThrow("ShowAttendAndTell: decoder must be");
  const model = tinyTeller();
  const before = tf.memory().numTensors;
  const images = tf.zeros<tf.Rank.R3>([2, 13, 4]);
  expect(() => model.loss(images, padBatch([[2], [2]]))).toThrow(
    "ShowAttendAndTell.losses: annotations must be float32 of shape [B, L, D] = [2, 13, 3], got float32 of shape [2, 13, 4]",
  );
  images.dispose();
  const one = tinyImages(1);
  expect(() => model.loss(one, padBatch([[]]))).toThrow("a caption must have a word, got 1 rows of 0");
  expect(() => model.loss(one, padBatch([[11, 2]]))).toThrow(
    "ShowAttendAndTell: a caption's words must be from 0 to 10, got 11; encode it with the vocabulary of the model",
  );
  one.dispose();
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
