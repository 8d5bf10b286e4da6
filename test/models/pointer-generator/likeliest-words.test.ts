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

test("a model that cannot copy may find <unk> the most likely", () => {
  const model = tinyPointer({ pointer: false }, 1, 1.2);
  model.parameters.variables["output/bias"]!.assign(
    tf.tensor1d(Array.from({ length: 11 }, (_, id) => (id === UNKNOWN ? 99 : 0))),
  );
  expect([...likeliestWords(model, padBatch([[4, 12]]), padBatch([[12, 2]]))]).toEqual([UNKNOWN, UNKNOWN]);
  model.dispose();
});
