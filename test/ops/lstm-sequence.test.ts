import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lstmCell, lstmSequence } from "../../src/ops/index.ts";
import { numbers, type Value } from "./both-ways.ts";
import { describeSequence, gates, type SequenceCase } from "./sequence-support.ts";

const opOf: SequenceCase["opOf"] = (reverse, mask) => (tensors) => {
  const [x, h0, c0, U] = tensors as [tf.Tensor3D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  return lstmSequence(x, h0, c0, U, mask?.(), { reverse });
};

function inputs(T: number, B: number, H: number): Value[] {
  return [
    gates(T, B, H, 4),
    { shape: [B, H], values: numbers(B * H, 2) },
    { shape: [B, H], values: numbers(B * H, 5) },
    { shape: [H, 4 * H], values: numbers(4 * H * H, 3, 1 / Math.sqrt(H)) },
  ];
}

describeSequence({ name: "lstmSequence", opOf, inputs });

describe("lstmSequence composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("is lstmCell at each step, from either end", () => {
    const tensors = inputs(2, 3, 5).map(({ shape, values }) => tf.tensor(values, shape));
    const [x, h0, c0, U] = tensors as [tf.Tensor3D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const steps = tf.unstack(x) as tf.Tensor2D[];
    for (const reverse of [false, true]) {
      const [first, second] = reverse ? [1, 0] : [0, 1];
      const [h1, c1] = lstmCell(tf.add(steps[first]!, tf.matMul(h0, U)), c0, h0);
      const [h2, c2] = lstmCell(tf.add(steps[second]!, tf.matMul(h1, U)), c1, h1);
      const [states, cells] = lstmSequence(x, h0, c0, U, undefined, { reverse });
      expect(states.arraySync()).toEqual(tf.stack(reverse ? [h2, h1] : [h1, h2]).arraySync());
      expect(cells.arraySync()).toEqual(tf.stack(reverse ? [c2, c1] : [c1, c2]).arraySync());
    }
  });

  it("refuses a sequence without steps", () => {
    expect(() =>
      lstmSequence(tf.zeros([0, 5, 28]), tf.zeros([5, 7]), tf.zeros([5, 7]), tf.zeros([7, 28])),
    ).toThrow(
      "lstmSequence: inputGates must have T ≥ 1 steps, got T = 0; the last state of an empty sequence is h0 itself",
    );
  });

  it("says which tensor disagrees", () => {
    const state = tf.zeros<tf.Rank.R2>([5, 7]);
    expect(() => lstmSequence(tf.zeros([2, 5, 28]), state, tf.zeros([5, 6]), tf.zeros([7, 28]))).toThrow(
      "lstmSequence: c0 must be float32 of shape [B, H] = [5, 7], got float32 of shape [5, 6]; the letters must mean " +
        "the same sizes in all of the call's tensors",
    );
  });
});
