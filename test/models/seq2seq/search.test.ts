import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { padBatch } from "../../../src/data/batching.ts";
import { END, PAD, START, UNKNOWN } from "../../../src/data/bpe.ts";
import { lengthPenaltyOf } from "../../../src/models/seq2seq/beam.ts";
import { beamSearch } from "../../../src/models/seq2seq/search.ts";
import type { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";
import { CELLS, distance, lossOf, onHeed, STYLES, tinyModel } from "./support.ts";

onHeed();

/** Twelve sources of 1 to 6 pieces. */
const sources = Array.from({ length: 12 }, (_, i) => {
  const random = new RandomStream(31, i);
  return Array.from({ length: 1 + (i % 6) }, () => 4 + random.integer(7));
});
const MAX_LENGTH = 9;
/** A log-probability sums up to nine terms below 10, each with some sixteen roundings of 2⁻²⁴ of it. */
const TOLERANCE = 1e-4;

/** A model sure enough of its pieces that outputs of different sources end at different lengths. */
const sharpModel = (changes: Parameters<typeof tinyModel>[0]) => tinyModel(changes, 1, 1.5);

/** Steps with the best piece of all, by a loop of its own. */
function greedy(model: Seq2Seq, source: number[]): { ids: number[]; weights: number[][] } {
  const ids: number[] = [];
  const weights: number[][] = [];
  tf.tidy(() => {
    const encoded = model.encode(padBatch([source]));
    let { state } = encoded;
    for (let t = 0; t < MAX_LENGTH; t++) {
      const step = model.decoder.step(
        model.wordGates(Int32Array.of(ids.at(-1) ?? START)),
        state,
        encoded.memory,
      );
      const logits = Array.from(model.logits(step.attentional).dataSync(), (x, id) =>
        id === PAD || id === START ? -Infinity : x,
      );
      const id = logits.indexOf(Math.max(...logits));
      if (id === END) break;
      ids.push(id);
      weights.push(Array.from(step.weights.dataSync()));
      state = step.state;
    }
  });
  return { ids, weights };
}

/** log p(target, END | source), by teacher forcing. */
function logProbability(model: Seq2Seq, source: number[], ids: number[]): number {
  const target = [...ids, END];
  return -lossOf(model, { source: padBatch([source]), target: padBatch([target]) }) * target.length;
}

describe.each(CELLS)("with a %s", (cell) => {
  describe.each(STYLES)("in the style of %s", (style) => {
    test("a beam of one is greedy", () => {
      const model = sharpModel({ cell, style });
      const lengths = new Set<number>();
      for (const source of sources) {
        const [best] = beamSearch(model, padBatch([source]), { maxLength: MAX_LENGTH })[0]!;
        const expected = greedy(model, source);
        expect(best!.ids).toEqual(expected.ids);
        expect(
          distance(
            best!.weights.flatMap((row) => [...row]),
            expected.weights.flat(),
          ),
        ).toBeLessThan(TOLERANCE);
        lengths.add(best!.ids.length);
      }
      // Some sources end early and some late, or the loop above tests little.
      expect(lengths.size).toBeGreaterThan(2);
      model.dispose();
    });

    test.each([1, 4])("a batch is decoded as its sentences are one by one: beam %i", (beam) => {
      const model = sharpModel({ cell, style });
      const together = beamSearch(model, padBatch(sources), { beam });
      for (const [i, source] of sources.entries()) {
        const alone = beamSearch(model, padBatch([source]), { beam })[0]!;
        expect(together[i]!.map(({ ids }) => ids)).toEqual(alone.map(({ ids }) => ids));
        for (const [rank, { score, weights }] of together[i]!.entries()) {
          expect(Math.abs(score - alone[rank]!.score)).toBeLessThan(TOLERANCE);
          for (const [t, row] of weights.entries()) {
            expect(distance(row.slice(0, source.length), alone[rank]!.weights[t]!)).toBeLessThan(TOLERANCE);
            expect(row.slice(source.length).every((w) => w === 0)).toBe(true);
          }
        }
      }
      model.dispose();
    });
  });
});

test("the n best are distinct, sorted by score, and each score is its log-probability over the penalty", () => {
  const model = sharpModel({});
  const lists = beamSearch(model, padBatch(sources), { beam: 4, maxLength: 30, lengthPenalty: 0.7 });
  // A source that comes to maxLength before it has four finished ones has fewer.
  expect(lists.filter((list) => list.length >= 4).length).toBeGreaterThan(sources.length / 2);
  for (const [i, list] of lists.entries()) {
    expect(list.length).toBeGreaterThan(0);
    expect(new Set(list.map(({ ids }) => ids.join(" "))).size).toBe(list.length);
    for (const [rank, { ids, score, logProbability: found }] of list.entries()) {
      expect(Math.abs(found - logProbability(model, sources[i]!, ids))).toBeLessThan(TOLERANCE);
      expect(score).toBe(found / lengthPenaltyOf(ids.length + 1, 0.7));
      if (rank > 0) expect(score).toBeLessThanOrEqual(list[rank - 1]!.score);
    }
  }
  model.dispose();
});

test("a beam of five finds translations at least as likely as greedy ones", () => {
  const model = sharpModel({});
  const best = (beam: number) =>
    beamSearch(model, padBatch(sources), { beam, maxLength: MAX_LENGTH, lengthPenalty: 0 }).map(
      ([one]) => one!,
    );
  const [one, five] = [best(1), best(5)];
  // One that was cut at maxLength has no END to pay for, and cannot be compared.
  const ended = sources.map((_, i) => i).filter((i) => one[i]!.ids.length < MAX_LENGTH);
  expect(ended.length).toBeGreaterThan(5);
  const gains = ended.map((i) => five[i]!.logProbability - one[i]!.logProbability);
  expect(Math.min(...gains)).toBeGreaterThan(-TOLERANCE);
  expect(Math.max(...gains)).toBeGreaterThan(0.01);
  model.dispose();
});

test.each([0, 0.6, 1])(
  "a beam that holds everything finds the best of all outputs: length penalty %d",
  (alpha) => {
    const model = sharpModel({ targetVocabulary: 6 });
    const pieces = [UNKNOWN, 4, 5];
    const outputs: number[][] = [[]];
    for (const output of outputs)
      if (output.length < 3) for (const id of pieces) outputs.push([...output, id]);
    expect(outputs.length).toBe(1 + 3 + 9 + 27);
    for (const source of sources.slice(0, 5)) {
      const scores = outputs.map(
        (ids) => logProbability(model, source, ids) / lengthPenaltyOf(ids.length + 1, alpha),
      );
      const options = { beam: 64, maxLength: 4, lengthPenalty: alpha };
      const [best] = beamSearch(model, padBatch([source]), options)[0]!;
      expect(Math.abs(best!.score - Math.max(...scores))).toBeLessThan(TOLERANCE);
      expect(best!.ids).toEqual(outputs[scores.indexOf(Math.max(...scores))]);
    }
    model.dispose();
  },
);

test("the length penalty is ((5 + length) / 6)^α", () => {
  expect(lengthPenaltyOf(1, 0.7)).toBe(1);
  expect(lengthPenaltyOf(7, 1)).toBe(2);
  expect(lengthPenaltyOf(7, 0)).toBe(1);
  expect(lengthPenaltyOf(13, 2)).toBe(9);
});

test("a larger length penalty never chooses a shorter best output", () => {
  const model = sharpModel({});
  const lengthsAt = (lengthPenalty: number) =>
    beamSearch(model, padBatch(sources), { beam: 6, maxLength: MAX_LENGTH, lengthPenalty }).map(
      ([best]) => best!.ids.length,
    );
  const [none, full] = [lengthsAt(0), lengthsAt(2)];
  for (const [i, length] of full.entries()) expect(length).toBeGreaterThanOrEqual(none[i]!);
  expect(full.some((length, i) => length > none[i]!)).toBe(true);
  model.dispose();
});

test("an output that does not end is cut at maxLength, by default ten more than twice its source, and no source gives no output", () => {
  const model = sharpModel({});
  model.parameters.variables["output/bias"]!.assign(
    tf.tensor1d(Array.from({ length: 13 }, (_, id) => (id === END ? -100 : 0))),
  );
  for (const beam of [1, 3]) {
    const lists = beamSearch(model, padBatch(sources), { beam, maxLength: 5 });
    for (const [best] of lists) expect(best!.ids.length).toBe(5);
    const own = beamSearch(model, padBatch(sources), { beam });
    expect(own.map(([best]) => best!.ids.length)).toEqual(sources.map(({ length }) => 2 * length + 10));
  }
  expect(beamSearch(model, padBatch([]))).toEqual([]);
  model.dispose();
});

test("a search leaves no tensor behind", () => {
  const model = sharpModel({});
  const before = tf.memory().numTensors;
  beamSearch(model, padBatch(sources), { beam: 3, maxLength: MAX_LENGTH });
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
