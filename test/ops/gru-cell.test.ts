import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { gruCell } from "../../src/ops/index.ts";
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

const plain: Op = ([x, u, h]) => [gruCell(x as tf.Tensor2D, u as tf.Tensor2D, h as tf.Tensor2D)];
const masked =
  (mask: number[]): Op =>
  ([x, u, h]) => [gruCell(x as tf.Tensor2D, u as tf.Tensor2D, h as tf.Tensor2D, tf.tensor1d(mask))];

function inputs(B: number, H: number, scale = 1.5): Value[] {
  return [
    { shape: [B, 3 * H], values: numbers(B * 3 * H, 1, scale) },
    { shape: [B, 3 * H], values: numbers(B * 3 * H, 2, scale) },
    { shape: [B, H], values: numbers(B * H, 3) },
  ];
}

const MASK = [1, 0, 1, 1, 0];

/** The same inputs with NaN in the gates of the rows that MASK leaves out. */
function withPadding(H: number): Value[] {
  const [x, u, h] = inputs(MASK.length, H);
  const spoil = (gates: Value) => ({
    ...gates,
    values: gates.values.map((v, i) => (MASK[Math.floor(i / (3 * H))] === 0 ? Number.NaN : v)),
  });
  return [spoil(x!), spoil(u!), h!];
}

describe("gruCell composed of TensorFlow.js ops", () => {
  beforeAll(async () => void (await tf.setBackend("cpu")));

  it("gives the value worked by hand", () => {
    // H = 1: r = σ(1 − 1) = ½, z = σ(0) = ½, n = tanh(0.25 + ½·0.5) = tanh ½, h' = ½·tanh ½ + ½·3.
    const h = gruCell(tf.tensor2d([[1, 2, 0.25]]), tf.tensor2d([[-1, -2, 0.5]]), tf.tensor2d([[3]]));
    expect(h.dataSync()[0]).toBeCloseTo(0.5 * Math.tanh(0.5) + 1.5, 6);
  });

  it("has the gradients that central differences find", () => {
    const values = inputs(2, 3);
    const { gradients } = run(plain, values);
    // Differences of float32 sums near 10 in size: rounding 1e-6 / 2e-2, and the third derivative times 1e-4.
    for (const k of [0, 1, 2]) {
      expect(distance([gradients[k]!], [numericGradient(plain, values, k)])).toBeLessThan(1e-3);
    }
  });

  it("keeps the state where the mask is 0, whatever the gates hold there", () => {
    const { outputs, gradients } = run(masked(MASK), withPadding(7));
    expect(outputs[0]!.slice(7, 14)).toEqual(
      Array.from(new Float32Array(inputs(5, 7)[2]!.values.slice(7, 14))),
    );
    expect(gradients.flat().some(Number.isNaN)).toBe(false);
    expect(gradients[0]!.slice(21, 42).every((d) => d === 0)).toBe(true);
  });

  it("says which tensor disagrees", () => {
    expect(() => gruCell(tf.zeros([5, 20]), tf.zeros([5, 21]), tf.zeros([5, 7]))).toThrow(
      "gruCell: inputGates must be float32 of shape [B, 3H] = [5, 21], got float32 of shape [5, 20]; the letters " +
        "must mean the same sizes in all of the call's tensors",
    );
    expect(() =>
      gruCell(tf.zeros([5, 21]), tf.zeros([5, 21]), tf.zeros([7]) as unknown as tf.Tensor2D),
    ).toThrow("gruCell: h must have rank 2, got shape [7]; reshape it first");
  });
});

describe.each(BUILDS)("gruCell fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each([
    [1, 3],
    [5, 7],
    [1, 13],
    [5, 16],
  ])("equals the composed one for B = %i, H = %i", async (B, H) => {
    const cases: [Op, Value[]][] = [
      [plain, inputs(B, H)],
      [plain, inputs(B, H, 30)],
    ];
    if (B === MASK.length) cases.push([masked(MASK), withPadding(H)]);
    for (const [op, values] of cases) {
      const { fused, composed } = await bothWays(op, values);
      // Every number is a few roundings of float32 (6e-8) away from the other, through at most 15 operations.
      expect(distance(fused.outputs, composed.outputs)).toBeLessThan(1e-6);
      expect(distance(fused.gradients, composed.gradients)).toBeLessThan(2e-6);
    }
  });

  it("takes masks of bool", () => {
    const op: Op = ([x, u, h]) => [
      gruCell(x as tf.Tensor2D, u as tf.Tensor2D, h as tf.Tensor2D, tf.tensor1d(MASK, "bool")),
    ];
    expect(run(op, withPadding(7))).toEqual(run(masked(MASK), withPadding(7)));
  });

  it("leaves no tensor behind", () => {
    expect(leaked(masked(MASK), withPadding(7))).toBe(0);
  });
});
