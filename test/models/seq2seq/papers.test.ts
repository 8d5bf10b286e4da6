import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { padBatch } from "../../../src/data/batching.ts";
import { START } from "../../../src/data/bpe.ts";
import type { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";
import { paperModel } from "./papers.ts";
import { CELLS, distance, lossOf, onHeed, SCORES, SOURCES, TARGETS, tinyModel } from "./support.ts";

onHeed();

/** Some 9 recurrent steps in float32, each a few roundings of 2⁻²⁴ on numbers below 10. */
const TOLERANCE = 1e-5;

/** The weights of each step of teacher forcing, [T][S]. */
function weightsOf(model: Seq2Seq, source: number[], target: number[]): number[][] {
  return tf.tidy(() => {
    let { memory, state } = model.encode(padBatch([source]));
    return target.map((_, t) => {
      const step = model.decoder.step(model.wordGates(Int32Array.of(target[t - 1] ?? START)), state, memory);
      state = step.state;
      return Array.from(step.weights.dataSync());
    });
  });
}

function checkAgainstPaper(model: Seq2Seq): void {
  for (const [i, source] of SOURCES.entries()) {
    const target = TARGETS[i]!;
    const expected = paperModel(model, source, target);
    const loss = -expected.reduce((sum, { logProbability }) => sum + logProbability, 0) / target.length;
    expect(
      Math.abs(lossOf(model, { source: padBatch([source]), target: padBatch([target]) }) - loss),
    ).toBeLessThan(TOLERANCE);
    const weights = weightsOf(model, source, target);
    expect(
      distance(
        weights.flat(),
        expected.flatMap((step) => step.weights),
      ),
    ).toBeLessThan(TOLERANCE);
  }
  model.dispose();
}

describe.each(CELLS)("with a %s, in float64 from the paper's formulas", (cell) => {
  test.each(SCORES)("Luong's model comes out: %s score", (score) => {
    checkAgainstPaper(tinyModel({ cell, score }));
    checkAgainstPaper(tinyModel({ cell, score, inputFeeding: false }));
  });

  test.each(SCORES)("Bahdanau's model comes out: %s score", (score) => {
    checkAgainstPaper(tinyModel({ cell, score, style: "bahdanau" }));
  });
});
