import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lstmCell, lstmSequence } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { distance, leaked, numbers, numericGradient, type Op, run, type Value } from "./both-ways.ts";

/** Rows of lengths T, T − 2, T − 4 …, padding at the end. */
function maskOf(T: number, B: number): number[] {
  return Array.from({ length: T * B }, (_, i) => (Math.floor(i / B) < T - 2 * (i % B) ? 1 : 0));
}

function opOf(T: number, B: number, masked: boolean, reverse: boolean): Op {
  return (tensors) => {
    const [x, h0, c0, U] = tensors as [tf.Tensor3D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const mask = masked ? tf.tensor2d(maskOf(T, B), [T, B]) : undefined;
    return lstmSequence(x, h0, c0, U, mask, { reverse });
  };
}

function inputs(T: number, B: number, H: number, spoiled = false): Value[] {
  const mask = maskOf(T, B);
  const x = numbers(T * B * 4 * H, 1);
  const padded = x.map((v, i) => (mask[Math.floor(i / (4 * H))] === 0 ? Number.NaN : v));
  return [
    { shape: [T, B, 4 * H], values: spoiled ? padded : x },
    { shape: [B, H], values: numbers(B * H, 2) },
    { shape: [B, H], values: numbers(B * H, 5) },
    { shape: [H, 4 * H], values: numbers(4 * H * H, 3, 1 / Math.sqrt(H)) },
  ];
}

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

  it("has the gradients that central differences find", () => {
    const op = opOf(3, 2, true, true);
    const values = inputs(3, 2, 3);
    const { gradients } = run(op, values);
    for (const k of [0, 1, 2, 3]) {
      // Differences of float32 sums near 10 in size: rounding 1e-6 / 2e-2, and the third derivative times 1e-4.
      expect(distance([gradients[k]!], [numericGradient(op, values, k)])).toBeLessThan(2e-3);
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

describe.each(BUILDS)("lstmSequence fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each([
    [1, 1, 3],
    [5, 1, 13],
    [7, 5, 7],
    [3, 2, 16],
  ])(
    "equals the composed one for T = %i, B = %i, H = %i, masked or not, in both directions",
    async (T, B, H) => {
      for (const masked of [false, true]) {
        for (const reverse of [false, true]) {
          const op = opOf(T, B, masked, reverse);
          const values = inputs(T, B, H, masked);
          await tf.setBackend("heed");
          const fused = run(op, values);
          await tf.setBackend("cpu");
          const composed = run(op, values);
          await tf.setBackend("heed");
          // A dozen roundings a step, T steps through U (norm about 1), sums of H or T · B terms: 6e-8 · 12 · 7.
          expect(distance(fused.outputs, composed.outputs)).toBeLessThan(5e-6);
          expect(distance(fused.gradients, composed.gradients)).toBeLessThan(5e-6);
        }
      }
    },
  );

  it("never lets NaN out of the padding", () => {
    const { outputs, gradients } = run(opOf(7, 3, true, true), inputs(7, 3, 5, true));
    expect([...outputs, ...gradients].flat().some(Number.isNaN)).toBe(false);
  });

  it("leaves no tensor behind", () => {
    expect(leaked(opOf(7, 3, true, false), inputs(7, 3, 5, true))).toBe(0);
  });
});
