import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type RandomDraw, sampleCategorical } from "../../../src/attention/discrete/index.ts";
import { softmax } from "../../../src/attention/normalize/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { onEveryBackend, random, tensor } from "../support.ts";
import { CHI_SQUARE_99, chiSquare } from "./chi-square.ts";

onEveryBackend("sampleCategorical", () => {
  it("draws keys as often as their weights say, by a χ² test with p > 0.01", () => {
    tf.tidy(() => {
      const n = 20_000;
      const weights = softmax(tensor(random(1, [1, 7])));
      const drawn = sampleCategorical(tf.tile(weights, [n, 1]), { seed: 3 }).dataSync();
      const counts = new Array(7).fill(0);
      for (const s of drawn) counts[s]++;
      expect(chiSquare(counts, [...weights.dataSync()])).toBeLessThan(CHI_SQUARE_99[6]!);
    });
  });

  it("never draws a key of weight 0, wherever it stands, and draws −1 from a row of zeros", () => {
    tf.tidy(() => {
      const rows = tf.tensor2d([
        [0, 0, 0.3, 0, 0.7, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [2, 0, 0, 0, 0, 0, 0],
      ]);
      const drawn = sampleCategorical(tf.tile(rows, [500, 1]), { seed: 4 });
      expect(drawn.dtype).toBe("int32");
      const seen = [0, 1, 2, 3].map((row) => new Set(drawn.dataSync().filter((_, e) => e % 4 === row)));
      expect(seen.map((keys) => [...keys].sort())).toEqual([[2, 4], [-1], [6], [0]]);
    });
  });

  it("draws the same for a seed and stream, and something else for others", () => {
    tf.tidy(() => {
      const weights = softmax(tensor(random(2, [3, 31, 11])));
      const draw = (options: RandomDraw) => sampleCategorical(weights, options).dataSync();
      expect(sampleCategorical(weights, { seed: 1 }).shape).toEqual([3, 31]);
      expect(draw({ seed: 1 })).toEqual(draw({ seed: 1, stream: 0 }));
      expect(draw({ seed: 1 })).not.toEqual(draw({ seed: 2 }));
      expect(draw({ seed: 1 })).not.toEqual(draw({ seed: 1, stream: 1 }));
    });
  });

  it("draws within the keys for the longest rows and the largest uniform numbers", () => {
    tf.tidy(() => {
      const drawn = sampleCategorical(tf.fill([4099, 1031], 0.001), { seed: 5 }).dataSync();
      expect(drawn.every((s) => s >= 0 && s < 1031)).toBe(true);
    });
  });

  it("draws a key within the row where the weights are NaN", () => {
    const drawn = tf.tidy(() => sampleCategorical(tf.fill([3, 5], Number.NaN), { seed: 1 }).dataSync());
    expect(drawn.every((s) => s >= 0 && s < 5)).toBe(true);
  });

  it("leaves no tensor behind", () => {
    const weights = tf.tensor2d([[0.5, 0.5]]);
    const before = tf.memory().numTensors;
    const drawn = sampleCategorical(weights, { seed: 1 });
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([weights, drawn]);
  });

  const refused: [string, typeof OptionError | typeof ShapeError, () => unknown, string][] = [
    [
      "a seed that is no integer",
      OptionError,
      () => sampleCategorical(tf.ones([2, 3]), { seed: 0.5 }),
      "sampleCategorical: seed must be an integer ≥ 0, got 0.5; choose one in that range or leave it out",
    ],
    [
      "a stream below 0",
      OptionError,
      () => sampleCategorical(tf.ones([2, 3]), { seed: 1, stream: -1 }),
      "sampleCategorical: stream must be an integer ≥ 0, got -1; choose one in that range or leave it out",
    ],
    [
      "no keys",
      ShapeError,
      () => sampleCategorical(tf.zeros([2, 0]), { seed: 1 }),
      "sampleCategorical: weights [..., S] must have S ≥ 1 keys, got S = 0; there must be something to choose",
    ],
  ];
  it.each(refused)("refuses %s", (_, error, call, message) => {
    const attempt = () => tf.tidy(() => void call());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
