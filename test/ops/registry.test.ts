import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { noSecondGradient } from "../../src/core/faults.ts";
import {
  additiveAttention,
  dropout,
  gatedSilu,
  gelu,
  gruCell,
  gruSequence,
  layerNorm,
  linear,
  lstmCell,
  lstmSequence,
  rmsNorm,
  silu,
  softmaxCrossEntropy,
} from "../../src/ops/index.ts";
import { useBuild } from "../support/kernel-build.ts";
import { numbers } from "./both-ways.ts";

/** A tensor of fixed numbers. */
const filled = <R extends tf.Rank>(...shape: number[]) =>
  tf.tensor(numbers(tf.util.sizeFromShape(shape), 1), shape as tf.ShapeMap[R]);

type Of = (x: tf.Tensor) => tf.Tensor;

/** Each op as a function of one input, and that input's shape. B = 2, H = 3, T = 5. */
const OPS: [op: string, shape: number[], f: Of][] = [
  [
    "additiveAttention",
    [2, 5, 7],
    (x) => additiveAttention(x as tf.Tensor3D, filled(2, 3, 7), filled(7), filled(2, 3, 2)).output,
  ],
  ["gelu", [7], (x) => gelu(x)],
  ["layerNorm", [2, 7], (x) => layerNorm(x)],
  ["rmsNorm", [2, 7], (x) => rmsNorm(x)],
  ["silu", [7], (x) => silu(x)],
  ["gatedSilu", [7], (x) => gatedSilu(x, filled(7))],
  ["linear", [2, 7], (x) => linear(x, filled(7, 3))],
  ["gruCell", [2, 9], (x) => gruCell(x as tf.Tensor2D, filled(2, 9), filled(2, 3))],
  ["lstmCell", [2, 12], (x) => lstmCell(x as tf.Tensor2D, filled(2, 3), filled(2, 3))[0]],
  ["gruSequence", [5, 2, 9], (x) => gruSequence(x as tf.Tensor3D, filled(2, 3), filled(3, 9), filled(9))],
  [
    "lstmSequence",
    [5, 2, 12],
    (x) => lstmSequence(x as tf.Tensor3D, filled(2, 3), filled(2, 3), filled(3, 12))[0],
  ],
  ["softmaxCrossEntropy", [2, 7], (x) => softmaxCrossEntropy(x as tf.Tensor2D, tf.tensor1d([1, 6], "int32"))],
];

/** d/dx Σ (d/dx Σ f(x)²)². */
const twice = (f: Of, shape: number[]) =>
  tf.tidy(() => {
    const once = tf.grad((x) => tf.sum(tf.square(f(x))));
    return tf.grad((x) => tf.sum(tf.square(once(x))))(filled(...shape));
  });

describe("A gradient of a gradient on the heed backend", () => {
  beforeAll(() => useBuild("relaxed"));

  it.each(OPS)("of %s is refused in a sentence of ours", (op, shape, f) => {
    const refusal = new OptionError("GRADIENT", noSecondGradient({ op }));
    expect(() => twice(f, shape)).toThrow(refusal);
    expect(refusal.message).toBe(
      `${op}: gradients of gradients are not available, got a request for one; compose that op of ` +
        "elementary ones of TensorFlow.js",
    );
    // The refusal is for the second order alone, also after one.
    const first = tf.tidy(() =>
      tf
        .grad((x) => tf.sum(tf.square(f(x))))(filled(...shape))
        .dataSync(),
    );
    expect(first.some((d) => d !== 0)).toBe(true);
  });

  it("of dropout, which is linear, is available: 8x / (1 − rate)⁴ where x is kept", () => {
    const x = filled(7);
    const kept = dropout(tf.ones([7]), 0.5, { seed: 3 }).dataSync();
    const found = twice((x) => dropout(x, 0.5, { seed: 3 }), [7]).dataSync();
    // Powers of two only, so nothing rounds; + 0 for the sign of the zeros.
    const expected = [...x.dataSync()].map((value, i) => 8 * value * kept[i]! ** 4 + 0);
    expect([...found].map((d) => d + 0)).toEqual(expected);
  });
});
