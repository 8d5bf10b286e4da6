import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { gruCell, gruSequence } from "../../src/ops/index.ts";
import { numbers, type Value } from "./both-ways.ts";
import { describeSequence, gates, type SequenceCase } from "./sequence-support.ts";

const opOf: SequenceCase["opOf"] =
  (reverse, mask) =>
  ([x, h0, U, b]) => [
    gruSequence(x as tf.Tensor3D, h0 as tf.Tensor2D, U as tf.Tensor2D, b as tf.Tensor1D, mask?.(), {
      reverse,
    }),
  ];

function inputs(T: number, B: number, H: number): Value[] {
  return [
    gates(T, B, H, 3),
    { shape: [B, H], values: numbers(B * H, 2) },
    { shape: [H, 3 * H], values: numbers(3 * H * H, 3, 1 / Math.sqrt(H)) },
    { shape: [3 * H], values: numbers(3 * H, 4) },
  ];
}

describeSequence({ name: "gruSequence", opOf, inputs });

describe("gruSequence composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("is gruCell at each step, from either end", () => {
    const [x, h0, U, b] = inputs(2, 3, 5).map(({ shape, values }) => tf.tensor(values, shape));
    const cell = (s: number, h: tf.Tensor) =>
      gruCell(
        tf.gather(x as tf.Tensor3D, s) as unknown as tf.Tensor2D,
        tf.add(tf.matMul(h as tf.Tensor2D, U as tf.Tensor2D), b!),
        h as tf.Tensor2D,
      );
    for (const reverse of [false, true]) {
      const [first, second] = reverse ? [1, 0] : [0, 1];
      const h1 = cell(first, h0!);
      const h2 = cell(second, h1);
      const states = opOf(reverse)([x!, h0!, U!, b!])[0]!;
      expect(states.arraySync()).toEqual(tf.stack(reverse ? [h2, h1] : [h1, h2]).arraySync());
    }
  });

  it("refuses a sequence without steps", () => {
    expect(() =>
      gruSequence(tf.zeros([0, 5, 21]), tf.zeros([5, 7]), tf.zeros([7, 21]), tf.zeros([21])),
    ).toThrow(
      "gruSequence: inputGates must have T ≥ 1 steps, got T = 0; the last state of an empty sequence is h0 itself",
    );
  });

  it("says which tensor disagrees", () => {
    expect(() =>
      gruSequence(tf.zeros([2, 5, 21]), tf.zeros([5, 7]), tf.zeros([21, 7]), tf.zeros([21])),
    ).toThrow(
      "gruSequence: U must be float32 of shape [H, 3H] = [7, 21], got float32 of shape [21, 7]; the letters must mean " +
        "the same sizes in all of the call's tensors",
    );
  });
});
