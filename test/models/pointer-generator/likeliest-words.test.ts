import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { padBatch } from "../../../src/data/batching.ts";
import { PAD, START, UNKNOWN } from "../../../src/data/bpe.ts";
import { likeliestWords } from "../../../src/models/index.ts";
import { onHeed } from "../seq2seq/support.ts";
import { paperSteps } from "./paper.ts";
import { SOURCES, TARGETS, tinyPointer } from "./support.ts";

onHeed();

test("each place has the paper's most likely word after the target's own words before it, and no other source's", () => {
  const model = tinyPointer({}, 1, 1.2);
  const values = Object.fromEntries(
    Object.entries(model.parameters.variables).map(([name, x]) => [name, x.arraySync() as unknown]),
  );
  const tensors = tf.memory().numTensors;
  const target = padBatch(TARGETS);
  const found = likeliestWords(model, padBatch(SOURCES), target);
  expect(tf.memory().numTensors).toBe(tensors);
  for (const [n, words] of TARGETS.entries()) {
    const steps = paperSteps(model.config, values, SOURCES[n]!, words);
    const expected = steps.map(({ P }) => {
      const open = Array.from(P, (p, id) => ([PAD, START, UNKNOWN].includes(id) ? -1 : p));
      return open.indexOf(Math.max(...open));
    });
    const row = Array.from(found.subarray(n * target.width, (n + 1) * target.width));
    expect(row.slice(0, words.length)).toEqual(expected);
    expect(row.slice(words.length).every((id) => id === PAD)).toBe(true);
  }
  model.dispose();
});

test("asked among a source's own words it gives one of them, the paper's likeliest, and PAD where there is none", () => {
  const model = tinyPointer({}, 1, 1.2);
  const { vocabulary: V } = model.config;
  const values = Object.fromEntries(
    Object.entries(model.parameters.variables).map(([name, x]) => [name, x.arraySync() as unknown]),
  );
  const sources = [...SOURCES, [4, 5, 6]];
  const targets = [...TARGETS, [7, 2]];
  const target = padBatch(targets);
  const found = likeliestWords(model, padBatch(sources), target, { ownWords: true });
  for (const [n, words] of targets.entries()) {
    const steps = paperSteps(model.config, values, sources[n]!, words);
    const hasOwn = sources[n]!.some((id) => id >= V);
    const expected = steps.map(({ P }) => {
      const own = Array.from(P).slice(V);
      return hasOwn ? V + own.indexOf(Math.max(...own)) : PAD;
    });
    expect(Array.from(found.subarray(n * target.width, n * target.width + words.length))).toEqual(expected);
  }
  // Without pointing p_gen is 1: nothing that the vocabulary lacks has a chance.
  const written = likeliestWords(model, padBatch(sources), target, { pointing: false });
  expect(written.every((id) => id < V)).toBe(true);
  expect(found.some((id) => id >= V)).toBe(true);
  const none = likeliestWords(model, padBatch(sources), target, { pointing: false, ownWords: true });
  expect(none.every((id) => id === PAD)).toBe(true);
  model.dispose();
});

test("a model that cannot copy may find <unk> the most likely", () => {
  const model = tinyPointer({ pointer: false }, 1, 1.2);
  model.parameters.variables["output/bias"]!.assign(
    tf.tensor1d(Array.from({ length: 11 }, (_, id) => (id === UNKNOWN ? 99 : 0))),
  );
  expect([...likeliestWords(model, padBatch([[4, 12]]), padBatch([[12, 2]]))]).toEqual([UNKNOWN, UNKNOWN]);
  model.dispose();
});
