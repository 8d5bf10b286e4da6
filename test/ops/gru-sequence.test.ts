import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { gruCell, gruSequence } from "../../src/ops/index.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { distance, leaked, numbers, numericGradient, type Op, run, type Value } from "./both-ways.ts";

/** Rows of lengths T, T − 2, T − 4 …, padding at the end. */
function maskOf(T: number, B: number): number[] {
  return Array.from({ length: T * B }, (_, i) => (Math.floor(i / B) < T - 2 * (i % B) ? 1 : 0));
}

function opOf(T: number, B: number, masked: boolean, reverse: boolean): Op {
  return ([x, h0, U, b]) => {
    const mask = masked ? tf.tensor2d(maskOf(T, B), [T, B]) : undefined;
    return [
      gruSequence(x as tf.Tensor3D, h0 as tf.Tensor2D, U as tf.Tensor2D, b as tf.Tensor1D, mask, { reverse }),
    ];
  };
}

function inputs(T: number, B: number, H: number, spoiled = false): Value[] {
  const mask = maskOf(T, B);
  const x = numbers(T * B * 3 * H, 1);
  return [
    {
      shape: [T, B, 3 * H],
      values: spoiled ? x.map((v, i) => (mask[Math.floor(i / (3 * H))] === 0 ? Number.NaN : v)) : x,
    },
    { shape: [B, H], values: numbers(B * H, 2) },
    { shape: [H, 3 * H], values: numbers(3 * H * H, 3, 1 / Math.sqrt(H)) },
    { shape: [3 * H], values: numbers(3 * H, 4) },
  ];
}

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
      const states = opOf(2, 3, false, reverse)([x!, h0!, U!, b!])[0]!;
      expect(states.arraySync()).toEqual(tf.stack(reverse ? [h2, h1] : [h1, h2]).arraySync());
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

describe.each(BUILDS)("gruSequence fused, %s build", (build) => {
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
