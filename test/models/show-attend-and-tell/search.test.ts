import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { END, UNKNOWN } from "../../../src/data/bpe.ts";
import { captionSearch, lengthPenaltyOf } from "../../../src/models/index.ts";
import { distance, onHeed } from "../seq2seq/support.ts";
import { paperSteps } from "./paper.ts";
import { nested, tinyImages, tinyTeller } from "./support.ts";

onHeed();

const MAX_LENGTH = 6;
const sharp = (kind: "soft" | "hard") => tinyTeller({ kind }, 1, 1.2);

test.each([
  ["soft", 1],
  ["soft", 3],
  ["hard", 1],
  ["hard", 3],
] as const)("each hypothesis has the paper's probability, maps and gate: %s, beam %i", (kind, beam) => {
  const model = sharp(kind);
  const images = tinyImages(5);
  const values = nested(model);
  const found = captionSearch(model, images, { beam, maxLength: MAX_LENGTH, lengthPenalty: 0.7 });
  const features = images.arraySync();
  for (const [b, list] of found.entries()) {
    expect(list.length).toBeGreaterThan(0);
    for (const { ids, weights, gate, generate, logProbability, score, ended } of list) {
      const steps = paperSteps(model.config, values, features[b]!, ended ? [...ids, END] : ids);
      const expected = steps.reduce((sum, { P }, t) => sum + Math.log(P[ids[t] ?? END]!), 0);
      expect(Math.abs(logProbability - expected)).toBeLessThan(1e-4);
      expect(score).toBe(logProbability / lengthPenaltyOf(ids.length + Number(ended), 0.7));
      expect(generate).toBeUndefined();
      for (const [t, map] of weights.entries()) {
        expect(distance(map, steps[t]!.weights)).toBeLessThan(1e-5);
        expect(gate![t]).toBeCloseTo(steps[t]!.gate, 5);
      }
    }
  }
  images.dispose();
  model.dispose();
});

test("greedy takes the most likely word of each step that is a word", () => {
  const model = sharp("soft");
  const images = tinyImages(7);
  const features = images.arraySync();
  for (const [b, [best]] of captionSearch(model, images, { maxLength: MAX_LENGTH }).entries()) {
    const { ids, ended } = best!;
    for (const [t, { P }] of paperSteps(model.config, nested(model), features[b]!, [...ids, END]).entries()) {
      if (t === ids.length && !ended) continue;
      const open = P.map((p, id) => (id === END || id > UNKNOWN ? p : -1));
      expect(ids[t] ?? END).toBe(open.indexOf(Math.max(...open)));
    }
  }
  model.dispose();
});

test("images of a batch are captioned as they are one by one, and nothing is left behind", () => {
  const model = sharp("soft");
  const images = tinyImages(4);
  const before = tf.memory().numTensors;
  const together = captionSearch(model, images, { beam: 2, maxLength: MAX_LENGTH });
  expect(tf.memory().numTensors).toBe(before);
  for (let b = 0; b < 4; b++) {
    const one: tf.Tensor3D = tf.slice(images, [b, 0, 0], [1, 13, 3]);
    const [alone] = captionSearch(model, one, { beam: 2, maxLength: MAX_LENGTH });
    expect(alone!.map(({ ids }) => ids)).toEqual(together[b]!.map(({ ids }) => ids));
    one.dispose();
  }
  const none = tf.zeros<tf.Rank.R3>([0, 13, 3]);
  expect(captionSearch(model, none)).toEqual([]);
  expect(() => captionSearch(model, tf.zeros([1, 13, 2]))).toThrow("captionSearch: annotations");
  model.dispose();
});
