import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { padBatch } from "../../../src/data/batching.ts";
import type { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";
import { CELLS, distance, lossOf, onHeed, SOURCES, STYLES, TARGETS, tinyModel } from "./support.ts";

onHeed();

/** States lie in (−1, 1) and few roundings make them; a leak of padding would show in the first digits. */
const TOLERANCE = 1e-5;

/** What the decoder gets of a batch: states [B, S, 2H] and the first state, read from the device. */
function encoded(model: Seq2Seq, sources: number[][], padId?: number) {
  return tf.tidy(() => {
    const { memory, state } = model.encode(padBatch(sources, padId));
    return {
      states: memory.values.arraySync(),
      initial: state.cell.map((x) => x.arraySync()),
    };
  });
}

describe.each(CELLS)("with a %s", (cell) => {
  test("a padded batch is encoded as its sentences are alone", () => {
    const model = tinyModel({ cell });
    const batch = encoded(model, SOURCES);
    for (const [b, source] of SOURCES.entries()) {
      const alone = encoded(model, [source]);
      const states = batch.states[b]!.slice(0, source.length).flat();
      expect(distance(states, alone.states.flat(2))).toBeLessThan(TOLERANCE);
      for (const [i, part] of batch.initial.entries()) {
        expect(distance(part[b]!, alone.initial[i]!.flat())).toBeLessThan(TOLERANCE);
      }
    }
    model.dispose();
  });

  test("what stands in the padding of a source changes nothing", () => {
    const model = tinyModel({ cell });
    const zeros = encoded(model, SOURCES);
    const words = encoded(model, SOURCES, 9);
    expect(words.initial).toEqual(zeros.initial);
    for (const [b, { length }] of SOURCES.entries()) {
      expect(words.states[b]!.slice(0, length)).toEqual(zeros.states[b]!.slice(0, length));
    }
    model.dispose();
  });

  test.each(STYLES)("the loss of a padded batch is that of its pairs alone, by their pieces: %s", (style) => {
    for (const score of ["general", "location", "none"] as const) {
      const model = tinyModel({ cell, style, score });
      const batch = lossOf(model, { source: padBatch(SOURCES), target: padBatch(TARGETS) });
      let sum = 0;
      let pieces = 0;
      for (const [b, source] of SOURCES.entries()) {
        const pair = { source: padBatch([source]), target: padBatch([TARGETS[b]!]) };
        sum += lossOf(model, pair) * TARGETS[b]!.length;
        pieces += TARGETS[b]!.length;
      }
      expect(Math.abs(batch - sum / pieces)).toBeLessThan(TOLERANCE);
      model.dispose();
    }
  });
});
