import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { maskScores } from "../../../src/ops/attention/mask.ts";
import { logSumExp, softmax } from "../../../src/ops/attention/softmax.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const rows = (weights: tf.Tensor) => tf.sum(weights, -1).dataSync();

onEveryBackend("softmax", () => {
  it("gives a case worked by hand", () => {
    const scores = tf.tensor2d([[0, Math.log(3), -Infinity]]);
    expect(distance(softmax(scores).dataSync(), [0.25, 0.75, 0])).toBeLessThanOrEqual(2 * ROUNDING);
    expect(distance(logSumExp(scores).dataSync(), [Math.log(4)])).toBeLessThanOrEqual(4 * ROUNDING);
  });

  it("gives weights ≥ 0 whose rows sum to 1 within 1e-6", () => {
    const weights = softmax(tensor(random(1, [3, 5, 7, 131])));
    expect(weights.dataSync().every((w) => w >= 0)).toBe(true);
    expect(distance(rows(weights), new Float32Array(105).fill(1))).toBeLessThanOrEqual(1e-6);
  });

  it("stays finite for scores of ±10⁴", () => {
    const scores = tf.tensor2d([
      [1e4, 0, -1e4],
      [-1e4, -1e4, -1e4],
      [1e4, 1e4, -1e4],
    ]);
    const third = Math.fround(1 / 3);
    expect(
      distance(softmax(scores).dataSync(), [1, 0, 0, third, third, third, 0.5, 0.5, 0]),
    ).toBeLessThanOrEqual(ROUNDING);
    expect(
      distance(logSumExp(scores).dataSync(), [1e4, -1e4 + Math.log(3), 1e4 + Math.log(2)]),
    ).toBeLessThanOrEqual(1e4 * 2 * ROUNDING);
  });

  it("does not change when a constant is added to all scores", () => {
    // Multiples of ¼ below 2¹⁰ add to 1024 without rounding, so the weights must be the same bits.
    const scores = tf.round(tf.mul(tensor(random(2, [5, 7])), 4));
    expect(softmax(tf.add(scores, 1024)).dataSync()).toEqual(softmax(scores).dataSync());
  });

  it("gives a row without visible keys zeros, log-sum-exp −∞ and gradient 0", () => {
    const scores = tf.tensor2d([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    const allow = tf.tensor2d(
      [
        [0, 0, 0],
        [1, 0, 1],
      ],
      [2, 3],
      "bool",
    );
    const weigh = (x: tf.Tensor) => softmax(maskScores(x, allow));
    expect([...weigh(scores).dataSync().subarray(0, 3)]).toEqual([0, 0, 0]);
    expect(logSumExp(maskScores(scores, allow)).dataSync()[0]).toBe(-Infinity);
    const cotangents = tf.tensor2d([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const gradient = tf.grad(weigh)(scores, cotangents).dataSync();
    expect([...gradient.subarray(0, 3)].map(Math.abs)).toEqual([0, 0, 0]);
    expect(gradient[3]).toBeLessThan(0);
    expect(Math.abs(gradient[4]!)).toBe(0);
    const ofLse = tf
      .grad((x) => logSumExp(maskScores(x, allow)))(scores)
      .dataSync();
    expect([...ofLse.subarray(0, 3)].map(Math.abs)).toEqual([0, 0, 0]);
  });

  it("gives rows of no keys at all log-sum-exp −∞ and no weights", () => {
    const scores = tf.zeros([2, 3, 0]);
    expect(softmax(scores).shape).toEqual([2, 3, 0]);
    expect([...logSumExp(scores).dataSync()]).toEqual(new Array(6).fill(-Infinity));
    expect(tf.grad(logSumExp)(scores).shape).toEqual([2, 3, 0]);
  });

  it("hides NaN and infinities behind the mask, in the weights and in the gradient", () => {
    const scores = tf.tensor2d([[1, Number.NaN, Number.POSITIVE_INFINITY, 2]]);
    const allow = tf.tensor2d([[1, 0, 0, 1]], [1, 4], "bool");
    const clean = softmax(tf.tensor2d([[1, 2]])).dataSync();
    const weigh = (x: tf.Tensor) => softmax(maskScores(x, allow));
    expect([...weigh(scores).dataSync()]).toEqual([clean[0], 0, 0, clean[1]]);
    const gradient = tf
      .grad(weigh)(scores, tf.tensor2d([[1, 1, 1, 2]]))
      .dataSync();
    expect(gradient.every(Number.isFinite)).toBe(true);
    expect([...gradient.subarray(1, 3)].map(Math.abs)).toEqual([0, 0]);
    expect(gradient[3]).toBeGreaterThan(0);
  });

  it("shows a visible NaN as NaN", () => {
    expect(
      softmax(tf.tensor2d([[1, Number.NaN, 2]]))
        .dataSync()
        .some(Number.isNaN),
    ).toBe(true);
  });

  it("and its log-sum-exp have gradients that agree with differences", () => {
    const x = tensor(random(3, [2, 5]));
    expect(() => gradcheckTensors((t) => softmax(t.x!), { x })).not.toThrow();
    expect(() => gradcheckTensors((t) => logSumExp(t.x!), { x })).not.toThrow();
  });
});
