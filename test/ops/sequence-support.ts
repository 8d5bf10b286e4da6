// What gruSequence and lstmSequence promise alike.
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import {
  bothWays,
  distance,
  leaked,
  numbers,
  numericGradient,
  type Op,
  run,
  type Value,
} from "./both-ways.ts";

/** Rows of lengths T, T − 2, T − 4 …, padding at the end. */
function maskOf(T: number, B: number): number[] {
  return Array.from({ length: T * B }, (_, i) => (Math.floor(i / B) < T - 2 * (i % B) ? 1 : 0));
}

export interface SequenceCase {
  readonly name: string;
  /** The sequence as an op, with or without a mask [T, B]. */
  readonly opOf: (reverse: boolean, mask?: () => tf.Tensor2D) => Op;
  /** Gates of the inputs [T, B, G·H] first, then states and weights. */
  readonly inputs: (T: number, B: number, H: number) => Value[];
}

/** Gates of the inputs, G of each unit. */
export function gates(T: number, B: number, H: number, G: number): Value {
  return { shape: [T, B, G * H], values: numbers(T * B * G * H, 1) };
}

export function describeSequence({ name, opOf, inputs }: SequenceCase): void {
  const masked = (T: number, B: number, reverse: boolean) =>
    opOf(reverse, () => tf.tensor2d(maskOf(T, B), [T, B]));

  /** The inputs with NaN in the gates of the padding. */
  const padded = (T: number, B: number, H: number): Value[] => {
    const [x, ...others] = inputs(T, B, H);
    const mask = maskOf(T, B);
    const width = x!.shape[2]!;
    const values = x!.values.map((v, i) => (mask[Math.floor(i / width)] === 0 ? Number.NaN : v));
    return [{ ...x!, values }, ...others];
  };

  it(`${name} composed has the gradients that central differences find`, async () => {
    await tf.setBackend("cpu");
    const op = masked(3, 2, true);
    const values = inputs(3, 2, 3);
    const { gradients } = run(op, values);
    for (const k of values.keys()) {
      // Differences of float32 sums near 10 in size: rounding 1e-6 / 2e-2, and the third derivative times 1e-4.
      expect(distance([gradients[k]!], [numericGradient(op, values, k)])).toBeLessThan(2e-3);
    }
  });

  describe.each(BUILDS)(`${name} fused, %s build`, (build) => {
    beforeAll(() => useBuild(build));

    it.each([
      [1, 1, 3],
      [5, 1, 13],
      [7, 5, 7],
      [3, 2, 16],
    ])(
      "equals the composed one for T = %i, B = %i, H = %i, masked or not, in both directions",
      async (T, B, H) => {
        for (const reverse of [false, true]) {
          for (const [op, values] of [
            [opOf(reverse), inputs(T, B, H)],
            [masked(T, B, reverse), padded(T, B, H)],
          ] as [Op, Value[]][]) {
            const { fused, composed } = await bothWays(op, values);
            // A dozen roundings a step, T steps through U (norm about 1), sums of H or T · B terms: 6e-8 · 12 · 7.
            expect(distance(fused.outputs, composed.outputs)).toBeLessThan(5e-6);
            expect(distance(fused.gradients, composed.gradients)).toBeLessThan(5e-6);
          }
        }
      },
    );

    it("never lets NaN out of the padding", () => {
      const { outputs, gradients } = run(masked(7, 3, true), padded(7, 3, 5));
      expect([...outputs, ...gradients].flat().some(Number.isNaN)).toBe(false);
    });

    it("leaves no tensor behind", () => {
      expect(leaked(masked(7, 3, false), padded(7, 3, 5))).toBe(0);
    });
  });
}
