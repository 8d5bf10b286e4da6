import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type Baseline,
  entropy,
  logProbability,
  MovingAverage,
  scoreFunctionLoss,
} from "../../../src/attention/discrete/index.ts";
import { softmax } from "../../../src/attention/normalize/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { maskScores } from "../../../src/ops/attention/mask.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [N, T, S] = [3, 5, 7];
const scores = () => tensor(random(1, [N, T, S]));
const index = () =>
  tf.tensor(
    Array.from({ length: N * T }, (_, n) => (n === 4 ? -1 : (3 * n) % S)),
    [N, T],
    "int32",
  );
const reward = () => tensor(random(2, [N]));
const CLOSE = 64 * ROUNDING;

/** α, ln α_s and H in float64, row by row, and the gradients of both at the scores. */
function reference() {
  const { values } = random(1, [N, T, S]);
  const keys = index().dataSync();
  return Array.from(keys, (s, row) => {
    const e = values.subarray(row * S, row * S + S);
    const total = e.reduce((sum, x) => sum + Math.exp(x), 0);
    const p = e.map((x) => Math.exp(x) / total);
    const H = -p.reduce((sum, x) => sum + x * Math.log(x), 0);
    return {
      logP: s < 0 ? 0 : Math.log(p[s]!),
      H,
      dlogP: p.map((x, j) => (s < 0 ? 0 : Number(j === s) - x)),
      dH: p.map((x) => -x * (Math.log(x) + H)),
    };
  });
}

onEveryBackend("the score function", () => {
  it("logProbability and entropy equal their float64 loops, gradients too", () => {
    tf.tidy(() => {
      const rows = reference();
      const logP = (x: tf.Tensor) => logProbability(softmax(x), index());
      const H = (x: tf.Tensor) => entropy(softmax(x));
      const flat = (name: "dlogP" | "dH") => rows.flatMap((row) => [...row[name]]);
      expect(
        distance(
          logP(scores()).dataSync(),
          rows.map((row) => row.logP),
        ),
      ).toBeLessThanOrEqual(CLOSE);
      expect(
        distance(
          H(scores()).dataSync(),
          rows.map((row) => row.H),
        ),
      ).toBeLessThanOrEqual(CLOSE);
      expect(distance(tf.grad(logP)(scores()).dataSync(), flat("dlogP"))).toBeLessThanOrEqual(CLOSE);
      expect(distance(tf.grad(H)(scores()).dataSync(), flat("dH"))).toBeLessThanOrEqual(CLOSE);
    });
  });

  it.each([[[2, 3]], [[1, 5]], [[3, 1, 2]]])(
    "logProbability and entropy have gradients that agree with differences, %j",
    (shape) => {
      const x = tf.mul(tensor(random(3, shape)), 0.5);
      const drawn = tf.zeros(shape.slice(0, -1), "int32");
      expect(() => gradcheckTensors(({ x }) => logProbability(softmax(x!), drawn), { x })).not.toThrow();
      expect(() => gradcheckTensors(({ x }) => entropy(softmax(x!)), { x })).not.toThrow();
    },
  );

  it("a hidden key adds nothing to the entropy, and has the gradient 0", () => {
    tf.tidy(() => {
      const allow = tf.tensor1d([1, 0, 1, 0, 1, 1, 0], "bool");
      const f = (x: tf.Tensor) => entropy(softmax(maskScores(x, tf.broadcastTo(allow, [N, T, S]))));
      const gradient = tf.grad(f)(scores()).dataSync();
      expect(
        f(scores())
          .dataSync()
          .every((H) => H > 0 && H <= Math.log(4) + CLOSE),
      ).toBe(true);
      gradient.forEach((d, e) => {
        if ([1, 3, 6].includes(e % S)) expect(Math.abs(d)).toBe(0);
        else expect(Number.isFinite(d)).toBe(true);
      });
      expect([...entropy(tf.zeros([2, 3])).dataSync()].map(Math.abs)).toEqual([0, 0]);
    });
  });

  const weights = () => softmax(scores());
  const baselines: [string, () => Baseline, (n: number) => number][] = [
    ["none", () => ({ kind: "none" }), () => 0],
    ["movingAverage", () => ({ kind: "movingAverage", value: 0.3 }), () => 0.3],
    ["learned", () => ({ kind: "learned", value: tf.tensor1d([0.1, 0.2, 0.3]) }), (n) => (n + 1) / 10],
    [
      "exactMean",
      () => ({
        kind: "exactMean",
        weights: tf.fill([N, 2], 0.5),
        rewards: tf.tensor2d([1, 2, 3, 4, 5, 6], [N, 2]),
      }),
      (n) => 2 * n + 1.5,
    ],
  ];
  it.each(baselines)(
    "the loss with the baseline %s has the gradient −mean[(R − b) ∇ln p + λ ∇H]",
    (_, make, b) => {
      tf.tidy(() => {
        const rows = reference();
        const R = reward().dataSync();
        const loss = (x: tf.Tensor) => {
          const alpha = softmax(x);
          const options = { baseline: make(), entropy: entropy(alpha), entropyWeight: 0.2 };
          return scoreFunctionLoss(logProbability(alpha, index()), reward(), options);
        };
        const expected = rows.flatMap(({ dlogP, dH }, row) => {
          const n = Math.floor(row / T);
          return Array.from(dlogP, (d, j) => -((R[n]! - b(n)) * d + 0.2 * dH[j]!) / N);
        });
        const gradient = tf.grad(loss)(scores()).dataSync();
        expect(distance(gradient, expected)).toBeLessThanOrEqual(8 * CLOSE);
        expect(loss(scores()).shape).toEqual([]);
      });
    },
  );

  it("a learned baseline gets the gradient of ½(R − b)² and no other, and no gradient reaches the rewards", () => {
    tf.tidy(() => {
      const logP = logProbability(weights(), index());
      const loss = (value: tf.Tensor) =>
        scoreFunctionLoss(logP, reward(), { baseline: { kind: "learned", value } });
      const value = tf.tensor1d([0.1, 0.2, 0.3]);
      const R = reward().dataSync();
      const expected = [0, 1, 2].map((n) => (value.dataSync()[n]! - R[n]!) / N);
      expect(distance(tf.grad(loss)(value).dataSync(), expected)).toBeLessThanOrEqual(CLOSE);
      // One number for all examples may be learned too.
      const [one] = tf.grads((x: tf.Tensor) => loss(x))([tf.scalar(0.5)]);
      expect(one!.shape).toEqual([]);
      const both = (x: tf.Tensor, r: tf.Tensor) =>
        tf.add(scoreFunctionLoss(logProbability(softmax(x), index()), r), tf.mul(tf.sum(r), 0));
      const [, dr] = tf.grads(both)([scores(), reward()]);
      expect([...dr!.dataSync()].map(Math.abs)).toEqual([0, 0, 0]);
    });
  });

  it("the moving average is 0.9 of itself and 0.1 of the mean reward, from 0", () => {
    const average = new MovingAverage();
    average.update(tf.tensor1d([1, 3]));
    expect(average.value).toBeCloseTo(0.2, 12);
    average.update(tf.scalar(1));
    expect(average.value).toBeCloseTo(0.28, 12);
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const [logP, R] = [logProbability(weights(), index()), reward()];
      const before = tf.memory().numTensors;
      scoreFunctionLoss(logP, R, { baseline: { kind: "movingAverage", value: 1 }, entropy: logP });
      expect(tf.memory().numTensors).toBe(before + 1);
      new MovingAverage().update(R);
      expect(tf.memory().numTensors).toBe(before + 1);
    });
  });

  const refused: [string, typeof OptionError | typeof ShapeError, () => unknown, string][] = [
    [
      "a baseline of no known name",
      OptionError,
      () =>
        scoreFunctionLoss(tf.zeros([2, 3]), tf.zeros([2]), {
          baseline: { kind: "median" } as unknown as Baseline,
        }),
      'scoreFunctionLoss: baseline.kind must be "none" or "movingAverage" or "learned" or "exactMean", got median; choose one of them',
    ],
    [
      "rewards that the draws do not begin with",
      ShapeError,
      () => scoreFunctionLoss(tf.zeros([2, 3]), tf.zeros([3])),
      "scoreFunctionLoss: logProbability [...R, ...] and reward [...R] must have the same leading shape, got shapes [2, 3] and [3]; make their leading shape equal",
    ],
    [
      "entropies of another shape",
      ShapeError,
      () => scoreFunctionLoss(tf.zeros([2, 3]), tf.zeros([2]), { entropy: tf.zeros([2]) }),
      "scoreFunctionLoss: logProbability [...R, ...] and entropy must have the same leading shape, got shapes [2, 3] and [2]; make their leading shape equal",
    ],
    [
      "a baseline of another shape",
      ShapeError,
      () =>
        scoreFunctionLoss(tf.zeros([2, 3]), tf.zeros([2]), {
          baseline: { kind: "learned", value: tf.zeros([3]) },
        }),
      "scoreFunctionLoss: reward [...R] and the learned baseline must have the same shape, got shapes [2] and [3]; make their shape equal",
    ],
    [
      "an entropy weight below 0",
      OptionError,
      () => scoreFunctionLoss(tf.zeros([2]), tf.zeros([2]), { entropyWeight: -1 }),
      "scoreFunctionLoss: entropyWeight must be a number ≥ 0, got -1; choose one in that range or leave it out",
    ],
    [
      "an index that is not one for each row",
      ShapeError,
      () => logProbability(tf.zeros([2, 3, 5]), tf.zeros([2], "int32")),
      "logProbability: weights [..., S] and index [...] must have the same leading shape, got shapes [2, 3, 5] and [2]; make their leading shape equal",
    ],
    [
      "a decay of 1",
      OptionError,
      () => new MovingAverage(1),
      "MovingAverage: decay must be at least 0 and below 1, got 1; choose one in that range or leave it out",
    ],
  ];
  it.each(refused)("refuses %s", (_, error, call, message) => {
    const attempt = () => tf.tidy(() => void call());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
