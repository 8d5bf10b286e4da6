import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import type { PointerMemory } from "../../../src/models/pointer-generator/attention.ts";
import { onHeed } from "../seq2seq/support.ts";
import { tinyPointer } from "./support.ts";

onHeed();

const [B, S, H, D] = [2, 5, 6, 7];
const LENGTHS = [5, 2];

/** A memory whose hidden places hold `filler`. */
function memoryWith(filler: number, model: ReturnType<typeof tinyPointer>): PointerMemory {
  const isOwn = (i: number, width: number) =>
    Math.floor(i / width) % S < LENGTHS[Math.floor(i / (S * width))]!;
  const values = Float32Array.from({ length: B * S * H }, (_, i) => (isOwn(i, H) ? Math.sin(i) : filler));
  const states = tf.tensor3d(values, [B, S, H]);
  return {
    states,
    keys: model.decoder.attention.keys(states),
    allow: tf.tensor3d(
      Uint8Array.from({ length: B * S }, (_, i) => (isOwn(i, 1) ? 1 : 0)),
      [B, 1, S],
      "bool",
    ),
    words: tf.zeros([B, S], "int32"),
  };
}

/** Two hypotheses a source. */
const query = () =>
  tf.tensor2d(
    Float32Array.from({ length: 2 * B * D }, (_, i) => Math.cos(i)),
    [2 * B, D],
  );

test.each(["heed", "cpu"])(
  "NaN in the padding is never read, with a coverage and without: %s",
  async (backend) => {
    await tf.setBackend(backend);
    const model = tinyPointer();
    for (const covers of [true, false]) {
      const read = (filler: number) =>
        tf.tidy(() => {
          const coverage = covers ? tf.tile(tf.tensor2d([[0.1, 0.9, 0, 2, 0.4]]), [2 * B, 1]) : undefined;
          const { context, weights } = model.decoder.attention.attend(
            query(),
            memoryWith(filler, model),
            coverage,
          );
          return { context: [...context.dataSync()], weights: weights.arraySync() };
        });
      const found = read(Number.NaN);
      expect(found).toEqual(read(0));
      for (const [n, row] of found.weights.entries()) {
        expect(row.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 6);
        expect(row.slice(LENGTHS[Math.floor(n / 2)]).every((a) => a === 0)).toBe(true);
      }
    }
    model.dispose();
    await tf.setBackend("heed");
  },
);

// One hidden unit, w_c = −4: a place that was read has a score of tanh(x − 4) where the others have tanh(x).
test("a weight below zero makes what was read unlikely to be read again", () => {
  const model = tinyPointer({ attention: 1 });
  model.parameters.variables["attention/coverage"]!.assign(tf.tensor1d([-4]));
  model.parameters.variables["attention/v"]!.assign(tf.tensor1d([3]));
  const weights = tf.tidy(() => {
    const states: tf.Tensor3D = tf.zeros([1, 3, H]);
    const memory = {
      states,
      keys: model.decoder.attention.keys(states),
      words: tf.zeros<tf.Rank.R2>([1, 3], "int32"),
    };
    const coverage = tf.tensor2d([[1, 0, 0]]);
    return model.decoder.attention.attend(tf.zeros([1, D]), memory, coverage).weights.arraySync()[0]!;
  });
  const b = model.parameters.variables["attention/bias"]!.dataSync()[0]!;
  const ratio = Math.exp(3 * (Math.tanh(b - 4) - Math.tanh(b)));
  expect(weights[0]! / weights[1]!).toBeCloseTo(ratio, 5);
  expect(weights[1]).toBe(weights[2]);
  model.dispose();
});
