import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import type { Seq2SeqConfig } from "../../../src/models/seq2seq/config.ts";
import type { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";
import { CELLS, lossAndGradients, lossOf, onHeed, ROUNDING, SCORES, STYLES, tinyModel } from "./support.ts";

onHeed();

/** Along a direction of length 1. */
const STEP = 2 ** -6;
/**
 * Roundings on the way to one loss: some 9 recurrent steps of 7 each, which add up like their square root. The
 * weights of a five-point difference sum to 1.5/h.
 */
const ROUNDINGS = 8;

function unitDirection(size: number, stream: number): Float32Array {
  const direction = new RandomStream(23, stream).fillNormal(new Float32Array(size));
  const norm = Math.hypot(...direction);
  return direction.map((x) => x / norm);
}

interface Slope {
  value: number;
  /** How far `value` can be from the true slope. */
  tolerance: number;
}

/** The change of the loss along a direction of one parameter, by the five-point difference. */
function slopeOf(model: Seq2Seq, name: string, direction: Float32Array): Slope {
  const variable = model.parameters.variables[name]!;
  const start = variable.dataSync().slice();
  const assign = (values: ArrayLike<number>) => {
    const moved = tf.tensor(Float32Array.from(values), variable.shape);
    variable.assign(moved);
    moved.dispose();
  };
  const losses = [-4, -2, -1, 1, 2, 4].map((steps) => {
    assign(start.map((x, i) => x + steps * STEP * direction[i]!));
    return lossOf(model);
  }) as [number, number, number, number, number, number];
  assign(start);
  const [m4, m2, m1, p1, p2, p4] = losses;
  const value = (8 * (p1 - m1) - (p2 - m2)) / (12 * STEP);
  const coarser = (8 * (p2 - m2) - (p4 - m4)) / (24 * STEP);
  const rounding = (1.5 * ROUNDINGS * ROUNDING * Math.max(...losses)) / STEP;
  // The error of order h⁴ is a sixteenth of that at twice the step.
  return { value, tolerance: rounding + Math.abs(coarser - value) / 15 };
}

function checkGradients(changes: Partial<Seq2SeqConfig>): void {
  const model = tinyModel(changes);
  const { gradients } = lossAndGradients(model);
  for (const [n, name] of Object.keys(gradients).entries()) {
    const gradient = gradients[name]!;
    const norm = Math.hypot(...gradient);
    const along = slopeOf(
      model,
      name,
      gradient.map((g) => g / norm),
    );
    expect(Math.abs(norm - along.value), name).toBeLessThan(along.tolerance);
    // A gradient that was wrong by a quarter would be seen.
    expect(along.value, `slope along ${name}`).toBeGreaterThan(4 * along.tolerance);
    const direction = unitDirection(gradient.length, n);
    const across = slopeOf(model, name, direction);
    const analytic = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
    expect(Math.abs(analytic - across.value), name).toBeLessThan(across.tolerance);
  }
  model.dispose();
}

describe.each(CELLS)("with a %s", (cell) => {
  test.each(SCORES)("the gradient of the whole loss is that of five-point differences: %s score", (score) =>
    checkGradients({ cell, score }),
  );

  test("the gradient of Bahdanau's decoder is that of five-point differences", () => {
    checkGradients({ cell, score: "additive", style: "bahdanau" });
  });

  test("the gradient of a tied embedding, without input feeding, is that of five-point differences", () => {
    checkGradients({ cell, tieEmbeddings: true, inputFeeding: false });
  });

  test("a gradient reaches every declared parameter, whatever the score and the style", () => {
    for (const score of SCORES) {
      for (const style of STYLES) {
        for (const inputFeeding of [true, false]) {
          const model = tinyModel({ cell, score, style, inputFeeding });
          const { gradients } = lossAndGradients(model);
          const unreached = Object.keys(gradients).filter((name) => gradients[name]!.every((g) => g === 0));
          expect(unreached, `${score}, ${style}, input feeding ${inputFeeding}`).toEqual([]);
          model.dispose();
        }
      }
    }
  });
});

test("a step of loss and gradients leaves no tensor behind", () => {
  const model = tinyModel();
  const before = tf.memory().numTensors;
  lossAndGradients(model);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
