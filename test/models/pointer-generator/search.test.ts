import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { padBatch } from "../../../src/data/batching.ts";
import { END, UNKNOWN } from "../../../src/data/bpe.ts";
import {
  coverageOf,
  lengthPenaltyOf,
  type PointerGenerator,
  pointerSearch,
  repeatedTrigrams,
  TrigramBlocking,
} from "../../../src/models/index.ts";
import { distance, onHeed } from "../seq2seq/support.ts";
import { paperSteps } from "./paper.ts";
import { tinyPointer } from "./support.ts";

onHeed();

const V = 11;
/** Ten sources of 1 to 5 words; their own words are numbered from V in the order in which they come. */
const sources = Array.from({ length: 10 }, (_, i) => {
  const random = new RandomStream(31, i);
  let own = 0;
  return Array.from({ length: 1 + (i % 5) }, () => (random.integer(2) ? V + own++ : 4 + random.integer(7)));
});
const MAX_LENGTH = 7;
/** A log-probability sums up to eight terms below 10, each with some sixteen roundings of 2⁻²⁴ of it. */
const TOLERANCE = 1e-4;

const sharp = (changes: Parameters<typeof tinyPointer>[0] = {}) => tinyPointer(changes, 1, 1.2);
const nested = ({ parameters }: PointerGenerator) =>
  Object.fromEntries(
    Object.entries(parameters.variables).map(([name, x]) => [name, x.arraySync() as unknown]),
  );

test.each([1, 3])(
  "each hypothesis has the paper's probability, weights, p_gen and coverage: beam %i",
  (beam) => {
    const model = sharp();
    const lists = pointerSearch(model, padBatch(sources), {
      beam,
      maxLength: MAX_LENGTH,
      lengthPenalty: 0.7,
    });
    const values = nested(model);
    let copied = 0;
    for (const [i, source] of sources.entries()) {
      expect(lists[i]!.length).toBeGreaterThan(0);
      for (const { ids, weights, generate, logProbability, score, ended } of lists[i]!) {
        const steps = paperSteps(model.config, values, source, ended ? [...ids, END] : ids);
        const expected = steps.reduce((sum, { P }, t) => sum + Math.log(P[ids[t] ?? END]!), 0);
        expect(Math.abs(logProbability - expected)).toBeLessThan(TOLERANCE);
        expect(score).toBe(logProbability / lengthPenaltyOf(ids.length + Number(ended), 0.7));
        expect(generate ?? []).toHaveLength(ids.length);
        for (const t of ids.keys()) {
          expect(generate![t]).toBeCloseTo(steps[t]!.generate, 5);
          expect(distance(weights[t]!.slice(0, source.length), steps[t]!.weights)).toBeLessThan(1e-5);
          const covered = coverageOf(weights)[t]!.slice(0, source.length);
          expect(distance(covered, steps[t]!.coverage)).toBeLessThan(1e-5);
        }
        copied += ids.filter((id) => id >= V).length;
      }
    }
    // Or nothing of the above was about copies.
    expect(copied).toBeGreaterThan(5);
    model.dispose();
  },
);

test("greedy takes the most likely word of each step that is a word", () => {
  const model = sharp();
  const values = nested(model);
  for (const source of sources) {
    const [best] = pointerSearch(model, padBatch([source]), { maxLength: MAX_LENGTH })[0]!;
    for (const [t, step] of paperSteps(model.config, values, source, [...best!.ids, END]).entries()) {
      if (t === best!.ids.length && !best!.ended) continue;
      const open = step.P.map((p, id) => (id === END || id > UNKNOWN ? p : -1));
      expect(best!.ids[t] ?? END).toBe(open.indexOf(Math.max(...open)));
    }
  }
  model.dispose();
});

test("a batch is decoded as its sources are one by one, and no output has another source's words", () => {
  const model = sharp();
  const together = pointerSearch(model, padBatch(sources), { beam: 3, maxLength: MAX_LENGTH });
  for (const [i, source] of sources.entries()) {
    const alone = pointerSearch(model, padBatch([source]), { beam: 3, maxLength: MAX_LENGTH })[0]!;
    expect(together[i]!.map(({ ids }) => ids)).toEqual(alone.map(({ ids }) => ids));
    for (const id of together[i]!.flatMap(({ ids }) => ids)) if (id >= V) expect(source).toContain(id);
  }
  model.dispose();
});

test("without a pointer no word is copied, and there is no p_gen", () => {
  const model = sharp({ pointer: false, coverage: false });
  const lists = pointerSearch(model, padBatch(sources), { beam: 2, maxLength: MAX_LENGTH });
  for (const { ids, generate } of lists.flat()) {
    expect(ids.every((id) => id < V)).toBe(true);
    expect(generate).toBeUndefined();
  }
  model.dispose();
});

test("blocking lets no three words in a row come twice, and is off by default", () => {
  // A model that ends late: without blocking it says the same again.
  const model = sharp({ coverage: false });
  const bias = model.parameters.variables["output/bias"]!;
  bias.assign(tf.tensor1d(Array.from(bias.dataSync(), (b, id) => (id === END ? -100 : b))));
  const repeated = (options: object) =>
    pointerSearch(model, padBatch(sources), { beam: 2, maxLength: 13, ...options })
      .flat()
      .map(({ ids }) => repeatedTrigrams(ids));
  expect(Math.max(...repeated({}))).toBeGreaterThan(0.3);
  expect(Math.max(...repeated({ blockTrigrams: true }))).toBe(0);
  expect(Math.max(...repeated({ blockTrigrams: false }))).toBeGreaterThan(0.3);
  model.dispose();
});

test("blocking closes what would end a trigram again, and nothing else", () => {
  let rule = new TrigramBlocking();
  for (const id of [5, 6, 7, 5, 6]) {
    expect([5, 6, 7, 8].every((next) => rule.allows(next))).toBe(true);
    rule = rule.after(id);
  }
  expect([5, 6, 7, 8, END].filter((id) => !rule.allows(id))).toEqual([7]);
  // 6 has been before 7, but not after 9.
  expect(new TrigramBlocking([5, 6, 7, 9, 6]).allows(7)).toBe(true);
  // 5 6 8 breaks the pattern; 6 8 has never been.
  expect([5, 6, 7, 8].every((next) => rule.after(8).allows(next))).toBe(true);
});

test("the share of repeated trigrams counts each one after its first", () => {
  expect(repeatedTrigrams([1, 2])).toBe(0);
  expect(repeatedTrigrams([1, 2, 3, 1, 2, 3])).toBe(0.25);
  expect(repeatedTrigrams(["a", "a", "a", "a", "a"])).toBeCloseTo(2 / 3, 12);
  // "a b" and "c" are not "a" and "b c".
  expect(repeatedTrigrams(["a b", "c", "d", "a", "b c", "d"])).toBe(0);
});

test("coverage can be left out in a search of a model that has one", () => {
  const model = sharp();
  const of = (coverage?: boolean) =>
    pointerSearch(model, padBatch(sources), {
      maxLength: MAX_LENGTH,
      ...(coverage !== undefined && { coverage }),
    }).map(([best]) => best!.logProbability);
  expect(of(true)).toEqual(of());
  expect(of(false)).not.toEqual(of());
  model.dispose();
});

test("a search leaves no tensor behind, also where it is refused; no source gives no output", () => {
  const model = sharp();
  const before = tf.memory().numTensors;
  pointerSearch(model, padBatch(sources), { beam: 3, maxLength: MAX_LENGTH });
  expect(() => pointerSearch(model, padBatch([[4], []]))).toThrow(
    "PointerGenerator: every source must have a word, got none in source 1; leave it out",
  );
  expect(pointerSearch(model, padBatch([]))).toEqual([]);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
