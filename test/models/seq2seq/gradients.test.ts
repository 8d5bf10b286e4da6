import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { Seq2SeqConfig } from "../../../src/models/seq2seq/config.ts";
import { slopeOf, unitDirection } from "../slope.ts";
import { CELLS, lossAndGradients, lossOf, onHeed, SCORES, STYLES, tinyModel } from "./support.ts";

onHeed();

/** Roundings on the way to one loss: some 9 recurrent steps of 7 each, which add up like their square root. */
const ROUNDINGS = 8;

function checkGradients(changes: Partial<Seq2SeqConfig>): void {
  const model = tinyModel(changes);
  const { gradients } = lossAndGradients(model);
  const slope = (name: string, direction: Float32Array) =>
    slopeOf(model.parameters.variables[name]!, direction, () => lossOf(model), ROUNDINGS);
  for (const [n, name] of Object.keys(gradients).entries()) {
    const gradient = gradients[name]!;
    const norm = Math.hypot(...gradient);
    const along = slope(
      name,
      gradient.map((g) => g / norm),
    );
    expect(Math.abs(norm - along.value), name).toBeLessThan(along.tolerance);
    // A gradient that was wrong by a quarter would be seen.
    expect(along.value, `slope along ${name}`).toBeGreaterThan(4 * along.tolerance);
    const direction = unitDirection(gradient.length, n);
    const across = slope(name, direction);
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
