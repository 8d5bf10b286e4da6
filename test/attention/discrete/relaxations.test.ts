/** Estimators that go through a soft distribution: straight-through and Gumbel-softmax. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { gumbelSoftmax, straightThrough } from "../../../src/attention/discrete/index.ts";
import { softmax } from "../../../src/attention/normalize/index.ts";
import { attend } from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { maskScores } from "../../../src/ops/attention/mask.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { CHI_SQUARE_99, chiSquare } from "./chi-square.ts";

const isOneHot = (row: ArrayLike<number>) =>
  Array.from(row).every((w) => w === 0 || w === 1) && Array.from(row).filter((w) => w === 1).length === 1;

onEveryBackend("gumbelSoftmax", () => {
  it("equals softmax((e + g)/τ) in float64, with the noise of the stream", () => {
    tf.tidy(() => {
      const scores = random(1, [3, 5, 7]);
      const stream = new RandomStream(9, 2);
      const noisy = scores.values.map((e) => (e - Math.log(-Math.log(stream.uniform() + 2 ** -25))) / 0.7);
      const expected = new Float64Array(noisy.length);
      for (let row = 0; row < noisy.length; row += 7) {
        let total = 0;
        for (let s = 0; s < 7; s++) total += Math.exp(noisy[row + s]!);
        for (let s = 0; s < 7; s++) expected[row + s] = Math.exp(noisy[row + s]!) / total;
      }
      const weights = gumbelSoftmax(tensor(scores), { temperature: 0.7, seed: 9, stream: 2 });
      // The noise is rounded at its size, up to 17, before it is divided.
      expect(distance(weights.dataSync(), expected)).toBeLessThanOrEqual(64 * ROUNDING);
    });
  });

  it("is one-hot when hard, and draws keys as often as softmax says, by a χ² test with p > 0.01", () => {
    tf.tidy(() => {
      const scores = tensor(random(2, [1, 7]));
      const weights = gumbelSoftmax(tf.tile(scores, [8000, 1]), { seed: 5, hard: true, temperature: 3 });
      const data = weights.dataSync();
      for (let row = 0; row < 50; row++) expect(isOneHot(data.subarray(row * 7, row * 7 + 7))).toBe(true);
      const counts = [...tf.sum(weights, 0).dataSync()];
      expect(chiSquare(counts, [...softmax(scores).dataSync()])).toBeLessThan(CHI_SQUARE_99[6]!);
    });
  });

  it("has one gradient, soft or hard: that of the soft weights", () => {
    tf.tidy(() => {
      const scores = tensor(random(3, [5, 7]));
      const dy = tensor(random(4, [5, 7]));
      const gradient = (hard: boolean) =>
        tf
          .grad((x) => gumbelSoftmax(x, { temperature: 0.8, seed: 6, hard }))(scores, dy)
          .dataSync();
      expect(gradient(true)).toEqual(gradient(false));
      expect(gradient(true).some((d) => d !== 0)).toBe(true);
    });
  });

  it("nears one-hot as the temperature falls", () => {
    tf.tidy(() => {
      const scores = tensor(random(5, [101, 7]));
      const peaks = [4, 1, 0.1].map(
        (temperature) => tf.mean(tf.max(gumbelSoftmax(scores, { temperature, seed: 7 }), -1)).dataSync()[0]!,
      );
      expect(peaks[0]).toBeLessThan(peaks[1]!);
      expect(peaks[1]).toBeLessThan(peaks[2]!);
      expect(peaks[2]).toBeGreaterThan(0.9);
    });
  });

  it.each([[[2, 3]], [[1, 5]], [[3, 1, 2]]])("has gradients that agree with differences, %j", (shape) => {
    const x = tf.mul(tensor(random(6, shape)), 0.5);
    const allow = tf.notEqual(tf.range(0, shape.at(-1)!), 1);
    expect(() => gradcheckTensors(({ x }) => gumbelSoftmax(x!, { seed: 8 }), { x }, 32)).not.toThrow();
    expect(() =>
      gradcheckTensors(
        ({ x }) => gumbelSoftmax(maskScores(x!, tf.broadcastTo(allow, shape)), { seed: 8 }),
        { x },
        32,
      ),
    ).not.toThrow();
  });
});

onEveryBackend("straightThrough", () => {
  it("is one-hot at the largest weight, the first of equal ones, with the gradient as if it were not there", () => {
    tf.tidy(() => {
      const weights = tf.tensor2d([0.2, 0.4, 0.4, 0, 0, 0], [2, 3]);
      expect([...straightThrough(weights).dataSync()]).toEqual([0, 1, 0, 0, 0, 0]);
      const dy = tensor(random(1, [2, 3]));
      expect(
        tf
          .grad((x) => straightThrough(x))(weights, dy)
          .dataSync(),
      ).toEqual(dy.dataSync());
    });
  });

  it("draws when it has a seed: as often as the weights say, by a χ² test with p > 0.01", () => {
    tf.tidy(() => {
      const weights = softmax(tensor(random(2, [1, 7])));
      const drawn = straightThrough(tf.tile(weights, [8000, 1]), { seed: 5 });
      expect(chiSquare([...tf.sum(drawn, 0).dataSync()], [...weights.dataSync()])).toBeLessThan(
        CHI_SQUARE_99[6]!,
      );
    });
  });

  it("passes the gradient of softmax to the scores behind it", () => {
    tf.tidy(() => {
      const scores = tensor(random(3, [5, 7]));
      const dy = tensor(random(4, [5, 7]));
      const through = tf
        .grad((x) => straightThrough(softmax(x)))(scores, dy)
        .dataSync();
      expect(through).toEqual(
        tf
          .grad((x) => softmax(x))(scores, dy)
          .dataSync(),
      );
    });
  });
});

onEveryBackend("estimators as normalisers of attend", () => {
  const normalizers: [string, (scores: tf.Tensor) => tf.Tensor][] = [
    ["gumbelSoftmax", (s) => gumbelSoftmax(s, { seed: 3, hard: true })],
    ["straightThrough", (s) => straightThrough(softmax(s))],
    ["straightThrough of a draw", (s) => straightThrough(softmax(s), { seed: 3 })],
  ];
  it.each(normalizers)(
    "%s chooses one visible key for each query, none in an empty row, and trains queries and keys",
    (_, normalize) => {
      tf.tidy(() => {
        const x = {
          queries: tensor<tf.Tensor3D>(random(1, [2, 3, 7])),
          keys: tensor<tf.Tensor3D>(random(2, [2, 5, 7])),
          values: tensor<tf.Tensor3D>(random(3, [2, 5, 11])),
        };
        const options = { mask: { keyLengths: [0, 4] }, normalize, weights: true } as const;
        const weights = attend({ ...x, ...options }).weights.dataSync();
        expect([...weights.subarray(0, 15)]).toEqual(new Array(15).fill(0));
        for (let row = 15; row < 30; row += 5) {
          expect(isOneHot(weights.subarray(row, row + 5))).toBe(true);
          expect(weights[row + 4]).toBe(0);
        }
        const f = (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) =>
          attend({ queries, keys, values, ...options } as unknown as Parameters<typeof attend>[0]).output;
        for (const gradient of tf.grads(f)([x.queries, x.keys, x.values])) {
          const data = gradient.dataSync();
          expect(data.every(Number.isFinite)).toBe(true);
          expect(data.some((d) => d !== 0)).toBe(true);
        }
      });
    },
  );

  it("leave no tensor behind", () => {
    const scores = tensor(random(1, [3, 5]));
    const before = tf.memory().numTensors;
    const made = [
      gumbelSoftmax(scores, { seed: 1 }),
      gumbelSoftmax(scores, { seed: 1, hard: true }),
      straightThrough(scores),
      straightThrough(scores, { seed: 1 }),
    ];
    expect(tf.memory().numTensors).toBe(before + 4);
    tf.dispose([scores, ...made]);
  });

  const refused: [string, typeof OptionError | typeof ShapeError, () => unknown, string][] = [
    [
      "a temperature of 0",
      OptionError,
      () => gumbelSoftmax(tf.ones([2, 3]), { seed: 1, temperature: 0 }),
      "gumbelSoftmax: temperature must be a positive number, got 0; choose one in that range or leave it out",
    ],
    [
      "a bad seed",
      OptionError,
      () => gumbelSoftmax(tf.ones([2, 3]), { seed: -1 }),
      "gumbelSoftmax: seed must be an integer ≥ 0, got -1; choose one in that range or leave it out",
    ],
    [
      "no scores",
      ShapeError,
      () => gumbelSoftmax(tf.zeros([2, 0]), { seed: 1 }),
      "gumbelSoftmax: scores [..., S] must have S ≥ 1 keys, got S = 0; there must be something to choose",
    ],
    [
      "no weights",
      ShapeError,
      () => straightThrough(tf.zeros([2, 0])),
      "straightThrough: weights [..., S] must have S ≥ 1 keys, got S = 0; there must be something to choose",
    ],
  ];
  it.each(refused)("refuses %s", (_, error, call, message) => {
    const attempt = () => tf.tidy(() => void call());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
