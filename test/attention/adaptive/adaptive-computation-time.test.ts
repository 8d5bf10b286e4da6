import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { adaptiveComputationTime } from "../../../src/attention/adaptive/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, T, N, C] = [2, 3, 5, 7];
const halting = (seed = 1, shape: readonly number[] = [B, T, N]) => tf.sigmoid(tensor(random(seed, shape)));
const states = (seed = 2, shape: readonly number[] = [B, T, N, C]) => tensor(random(seed, shape));
const CLOSE = 16 * ROUNDING;

/** The paper's definition, position by position, in float64. */
function reference(
  h: ArrayLike<number>,
  y: ArrayLike<number>,
  steps: number,
  width: number,
  epsilon: number,
) {
  const result = {
    weights: [] as number[],
    output: [] as number[],
    ponder: [] as number[],
    steps: [] as number[],
  };
  for (let position = 0; position < h.length / steps; position++) {
    let [M, spent] = [0, 0];
    while (M < steps - 1 && spent + h[position * steps + M]! < 1 - epsilon)
      spent += h[position * steps + M++]!;
    const p = Array.from({ length: steps }, (_, n) =>
      n < M ? h[position * steps + n]! : n === M ? 1 - spent : 0,
    );
    result.weights.push(...p);
    for (let c = 0; c < width; c++) {
      result.output.push(p.reduce((sum, w, n) => sum + w * y[(position * steps + n) * width + c]!, 0));
    }
    result.ponder.push(M + 1 + 1 - spent);
    result.steps.push(M + 1);
  }
  return result;
}

onEveryBackend("adaptiveComputationTime", () => {
  it.each([0.01, 0, 0.3])("equals the definition, position by position, with ε = %s", (epsilon) => {
    tf.tidy(() => {
      const [h, y] = [halting(), states()];
      const actual = adaptiveComputationTime(h, y, { epsilon });
      const expected = reference(h.dataSync(), y.dataSync(), N, C, epsilon);
      expect([actual.output.shape, actual.weights.shape, actual.ponder.shape]).toEqual([
        [B, T, C],
        [B, T, N],
        [B, T],
      ]);
      expect([...actual.steps.dataSync()]).toEqual(expected.steps);
      expect(distance(actual.weights.dataSync(), expected.weights)).toBeLessThanOrEqual(CLOSE);
      expect(distance(actual.output.dataSync(), expected.output)).toBeLessThanOrEqual(2 * CLOSE);
      expect(distance(actual.ponder.dataSync(), expected.ponder)).toBeLessThanOrEqual(4 * CLOSE);
      expect(distance(tf.sum(actual.weights, -1).dataSync(), new Array(B * T).fill(1))).toBeLessThanOrEqual(
        CLOSE,
      );
    });
  });

  it("halts at the first step that is sure, and takes all where none is", () => {
    tf.tidy(() => {
      const h = tf.tensor2d([0.995, 0.2, 0.2, 0.1, 0.1, 0.1], [2, 3]);
      const { weights, ponder, steps } = adaptiveComputationTime(h, tf.zeros([2, 3, 1]));
      expect([...steps.dataSync()]).toEqual([1, 3]);
      expect(distance(weights.dataSync(), [1, 0, 0, 0.1, 0.1, 0.8])).toBeLessThanOrEqual(CLOSE);
      expect(distance(ponder.dataSync(), [2, 3.8])).toBeLessThanOrEqual(4 * CLOSE);
    });
  });

  it("lets NaN after the halt reach neither the output nor a gradient", () => {
    tf.tidy(() => {
      const h = tf.tensor2d([0.5, 0.6, 0.2], [1, 3]);
      const y = tf.tensor3d([1, 2, Number.NaN], [1, 3, 1]);
      const f = (a: tf.Tensor, b: tf.Tensor) => adaptiveComputationTime(a, b).output;
      expect([...f(h, y).dataSync()]).toEqual([1.5]);
      const [dh, dy] = tf.grads(f)([h, y]);
      // y = h₁·1 + (1 − h₁)·2
      expect([...dh!.dataSync()].map((d) => d + 0)).toEqual([-1, 0, 0]);
      expect([...dy!.dataSync()]).toEqual([0.5, 0.5, 0]);
    });
  });

  it.each([
    [[2, 3], 5],
    [[3, 2], 1],
    [[1, 2, 5], 3],
  ])("has gradients that agree with differences, h %j, C = %s", (shape, width) => {
    // Probabilities far from where a position would halt a step earlier or later.
    const h = tf.add(tf.mul(tensor(random(3, shape)), 0.01), 0.37);
    const x = { h, states: tf.mul(states(4, [...shape, width]), 0.5) };
    expect(() =>
      gradcheckTensors(({ h, states }) => adaptiveComputationTime(h!, states!, { epsilon: 0.45 }).output, x),
    ).not.toThrow();
    const ponder = ({ h }: Record<string, tf.Tensor>) =>
      adaptiveComputationTime(h!, x.states, { epsilon: 0.08 }).ponder;
    expect(() => gradcheckTensors(ponder, { h })).not.toThrow();
  });

  it("leaves no tensor behind", () => {
    const [h, y] = [halting(), states()];
    const before = tf.memory().numTensors;
    const result = adaptiveComputationTime(h, y);
    expect(tf.memory().numTensors).toBe(before + 4);
    tf.dispose([h, y, ...Object.values(result)]);
  });

  const refused: [string, typeof OptionError | typeof ShapeError, () => unknown, string][] = [
    [
      "an ε of 1",
      OptionError,
      () => adaptiveComputationTime(tf.ones([2, 3]), tf.ones([2, 3, 4]), { epsilon: 1 }),
      "adaptiveComputationTime: epsilon must be at least 0 and below 1, got 1; choose one in that range or leave it out",
    ],
    [
      "states of other steps",
      ShapeError,
      () => adaptiveComputationTime(tf.ones([2, 3]), tf.ones([2, 4, 5])),
      "adaptiveComputationTime: h [..., N] and states [..., N, C] must have the same leading shape, got shapes [2, 3] and [2, 4, 5]; make their leading shape equal",
    ],
    [
      "no steps",
      ShapeError,
      () => adaptiveComputationTime(tf.ones([2, 0]), tf.ones([2, 0, 5])),
      "adaptiveComputationTime: h [..., N] must have N ≥ 1 steps, got N = 0; a position takes one step at least",
    ],
  ];
  it.each(refused)("refuses %s", (_, error, call, message) => {
    const attempt = () => tf.tidy(() => void call());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
