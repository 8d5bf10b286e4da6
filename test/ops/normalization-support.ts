// What layerNorm and rmsNorm promise alike.
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { bothWays, distance, type Op, type Run, run, type Value } from "./both-ways.ts";

export interface NormalizationCase {
  readonly name: string;
  readonly op: (epsilon?: number) => Op;
  /** N rows of C numbers, gamma, and beta where there is one. */
  readonly inputs: (N: number, C: number) => Value[];
  /** The formulas as plain loops in float64, with the output weights of `run` as dy. */
  readonly reference: (inputs: Value[]) => Run;
}

const SIZES: [N: number, C: number][] = [
  [1, 2],
  [2, 3],
  [3, 5],
  [7, 13],
  [5, 127],
  [2, 128],
  [11, 129],
  [3, 1009],
];

/** Roundings of 2⁻²⁴ in a row of C (sums in eight lanes, and a dozen steps around them) and in a column of N. */
export const tolerance = (N: number, C: number) => ({
  outputs: (C / 8 + 12) * 2 ** -24,
  gradients: (C / 4 + N + 24) * 2 ** -24,
});

/** 1/σ and 1/rms multiply what rounding leaves of dx; those of the smallest rows are a tenth. */
const amplified = (C: number) => (C < 8 ? 10 : 1);

/** Expects a run to be another to `times` the tolerance of N rows of C numbers. */
export function expectClose(got: Run, exact: Run, [N, C]: [number, number], times = 1): void {
  const { outputs, gradients } = tolerance(N, C);
  expect(distance(got.outputs, exact.outputs)).toBeLessThan(outputs * times);
  expect(distance(got.gradients, exact.gradients)).toBeLessThan(gradients * times);
}

export const LARGE_ON: [string, () => Promise<unknown>][] = [
  ["composed on cpu", () => tf.setBackend("cpu")],
  ["composed on wasm", () => tf.setBackend("wasm")],
  ["fused, relaxed build", () => useBuild("relaxed")],
  ["fused, plain build", () => useBuild("plain")],
];

export function describeNormalization({ name, op, inputs, reference }: NormalizationCase): void {
  describe.each(BUILDS)(`${name} fused, %s build`, (build) => {
    beforeAll(() => useBuild(build));

    it.each(SIZES)("is that of float64 for N = %i, C = %i", (N, C) => {
      const values = inputs(N, C);
      expectClose(run(op(), values), reference(values), [N, C], amplified(C));
    });

    it.each(SIZES)("equals the composed one for N = %i, C = %i", async (N, C) => {
      const { fused, composed } = await bothWays(op(1e-3), inputs(N, C));
      expectClose(fused, composed, [N, C], 2 * amplified(C));
    });

    it("keeps NaN to its row, and in the gradients of the weights to what NaN reaches", () => {
      const values = inputs(3, 13);
      values[0]!.values[13 + 4] = Number.NaN;
      const { outputs, gradients } = run(op(), values);
      const [dx, dgamma, ...dbeta] = gradients;
      const second = Array.from({ length: 39 }, (_, i) => Math.floor(i / 13) === 1);
      expect(outputs[0]!.map(Number.isNaN)).toEqual(second);
      expect(dx!.map(Number.isNaN)).toEqual(second);
      expect(dgamma!.every(Number.isNaN)).toBe(true);
      expect(dbeta.flat().some(Number.isNaN)).toBe(false);
    });

    it("gives equal bits for equal calls, and the same rows in any batch", () => {
      const values = inputs(7, 13);
      const whole = run(op(), values);
      expect(run(op(), values)).toEqual(whole);
      const [x, ...weights] = values;
      const last = run(op(), [{ shape: [1, 13], values: x!.values.slice(6 * 13) }, ...weights]);
      expect(last.outputs[0]).toEqual(whole.outputs[0]!.slice(6 * 13));
    });
  });

  describe.each(LARGE_ON)(`${name} of large numbers, %s`, (_, use) => {
    beforeAll(async () => void (await use()));

    it.each([1e20, -1e20, 2e20, 3e38, -3e38, 2e15])(
      "of rows whose squares overflow is that of the same rows scaled down: %f",
      (size) => {
        const [N, C] = [3, 13];
        const [x, ...weights] = inputs(N, C);
        // The largest of each row becomes `size`; a row of ordinary numbers stands beside them.
        const most = Math.max(...x!.values.map(Math.abs));
        const large = x!.values.map((v, n) => (n < C ? v : Math.fround((v / most) * size)));
        const values = [{ shape: [N, C], values: large }, ...weights];
        expectClose(run(op(), values), reference(values), [N, C]);
      },
    );
  });
}
