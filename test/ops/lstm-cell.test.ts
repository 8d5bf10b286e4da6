import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lstmCell } from "../../src/ops/index.ts";
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

// Without a mask nothing depends on h: it is no input to differentiate by.
const plain: Op = ([a, c]) => lstmCell(a as tf.Tensor2D, c as tf.Tensor2D, tf.zerosLike(c as tf.Tensor2D));
const MASK = [0, 1, 1, 0, 1];
const masked: Op = ([a, c, h]) =>
  lstmCell(a as tf.Tensor2D, c as tf.Tensor2D, h as tf.Tensor2D, tf.tensor1d(MASK));

function inputs(B: number, H: number, scale = 1.5): Value[] {
  return [
    { shape: [B, 4 * H], values: numbers(B * 4 * H, 1, scale) },
    { shape: [B, H], values: numbers(B * H, 2) },
    { shape: [B, H], values: numbers(B * H, 3) },
  ];
}

/** The same inputs with NaN in the gates of the rows that MASK leaves out. */
function withPadding(H: number): Value[] {
  const [a, c, h] = inputs(MASK.length, H);
  const values = a!.values.map((v, i) => (MASK[Math.floor(i / (4 * H))] === 0 ? Number.NaN : v));
  return [{ ...a!, values }, c!, h!];
}

describe("lstmCell composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("gives the values worked by hand", () => {
    // H = 1, gates 0, 0, ½, 0: i = f = o = ½, g = tanh ½, c' = ½·3 + ½·tanh ½, h' = ½·tanh c'.
    const [h, c] = lstmCell(tf.tensor2d([[0, 0, 0.5, 0]]), tf.tensor2d([[3]]), tf.tensor2d([[9]]));
    const next = 1.5 + 0.5 * Math.tanh(0.5);
    expect(c.dataSync()[0]).toBeCloseTo(next, 6);
    expect(h.dataSync()[0]).toBeCloseTo(0.5 * Math.tanh(next), 6);
  });

  it("has the gradients that central differences find", () => {
    const values = inputs(5, 3);
    const { gradients } = run(masked, values);
    // Differences of float32 sums near 10 in size: rounding 1e-6 / 2e-2, and the third derivative times 1e-4.
    for (const k of [0, 1, 2]) {
      expect(distance([gradients[k]!], [numericGradient(masked, values, k)])).toBeLessThan(1e-3);
    }
  });

  it("keeps both states where the mask is 0, whatever the gates hold there", () => {
    const values = withPadding(7);
    const { outputs, gradients } = run(masked, values);
    const firstRow = (k: number) => Array.from(new Float32Array(values[k]!.values.slice(0, 7)));
    expect(outputs.map((row) => row.slice(0, 7))).toEqual([firstRow(2), firstRow(1)]);
    expect(gradients.flat().some(Number.isNaN)).toBe(false);
    expect(gradients[0]!.slice(0, 28).every((d) => d === 0)).toBe(true);
  });

  it("says which tensor disagrees", () => {
    expect(() => lstmCell(tf.zeros([5, 21]), tf.zeros([5, 7]), tf.zeros([5, 7]))).toThrow(
      "lstmCell: gates must be float32 of shape [B, 4H] = [5, 28], got float32 of shape [5, 21]; the letters must " +
        "mean the same sizes in all of the call's tensors",
    );
  });
});

describe.each(BUILDS)("lstmCell fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each([
    [1, 3],
    [5, 7],
    [1, 13],
    [5, 16],
  ])("equals the composed one for B = %i, H = %i", async (B, H) => {
    const cases: [Op, Value[]][] = [
      [plain, inputs(B, H).slice(0, 2)],
      [plain, inputs(B, H, 30).slice(0, 2)],
    ];
    if (B === MASK.length) cases.push([masked, withPadding(H)]);
    for (const [op, values] of cases) {
      const { fused, composed } = await bothWays(op, values);
      // Every number is a few roundings of float32 (6e-8) away from the other, through at most 15 operations.
      expect(distance(fused.outputs, composed.outputs)).toBeLessThan(1e-6);
      expect(distance(fused.gradients, composed.gradients)).toBeLessThan(2e-6);
    }
  });

  it("leaves no tensor behind", () => {
    expect(leaked(masked, withPadding(7))).toBe(0);
  });
});
