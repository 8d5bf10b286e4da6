import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type NystromOptions, nystromAttention } from "../../../src/attention/linear/index.ts";
import { attention } from "../../../src/ops/attention.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import {
  drawn,
  example,
  expectClose,
  expectFixture,
  firstSteps,
  fixture,
  type Inputs,
  qkv,
  refusal,
  spoil,
  withGradients,
} from "./linear-support.ts";

const call =
  (options: NystromOptions = {}) =>
  ({ q, k, v, conv }: Inputs) =>
    nystromAttention(
      q as tf.Tensor4D,
      k as tf.Tensor4D,
      v as tf.Tensor4D,
      { conv: conv as tf.Tensor2D },
      options,
    ).output;

onEveryBackend("Nyströmformer", () => {
  it.each(fixture("nystrom"))("gives what PyTorch gives in float64: $name", (one) => {
    expectFixture(one, call(one.options));
  });

  it("is near exact attention with every position as a landmark", () => {
    tf.tidy(() => {
      const x = qkv(1, { B: 2, H: 2, T: 7, D: 5, Dv: 3 });
      const exact = attention(x.q, x.k, x.v).output;
      // The condition of the matrices, some 1e3, times float32's rounding, once a step.
      expectClose(exact, call({ landmarks: 7, iterations: 30 })(x), 1e-3);
    });
  });

  it("is exact with few landmarks where positions of a segment are the same", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(4, { B: 1, H: 2, T: 3, D: 5, Dv: 2 });
      const repeated = (x: tf.Tensor4D) =>
        tf.reshape(tf.tile(tf.expandDims(x, 3), [1, 1, 1, 4, 1]), [1, 2, 12, x.shape[3]]) as tf.Tensor4D;
      const x = { q: repeated(q), k: repeated(k), v: repeated(v) };
      expectClose(attention(x.q, x.k, x.v).output, call({ landmarks: 3, iterations: 20 })(x), 1e-4);
    });
  });

  it.each([
    { B: 1, H: 2, T: 5, S: 5, D: 3, Dv: 2 },
    { B: 2, H: 1, T: 3, S: 5, D: 2, Dv: 1 },
    { B: 1, H: 3, T: 3, S: 3, D: 2, Dv: 5 },
  ])("has the gradients of central differences at $B $H $T $S $D $Dv", (sizes) => {
    const x = qkv(7, sizes);
    const conv = sizes.T === sizes.S && { conv: drawn<tf.Tensor>(10, [3, sizes.H]) };
    // Three iterations of four products each stand between inputs and outputs.
    const options = { landmarks: 2, iterations: 3 };
    gradcheckTensors(call(options), { ...x, ...conv }, 32);
    if (sizes.B === 2) gradcheckTensors(call({ ...options, keyLengths: [5, 3] }), x, 32);
  });

  it("gives a padded example what it gives alone, with fewer positions than landmarks too, and an empty one 0", () => {
    tf.tidy(() => {
      const x = { ...qkv(13, { B: 4, H: 2, T: 9, D: 4, Dv: 3 }), conv: drawn<tf.Tensor>(16, [3, 1]) };
      const lengths = [9, 7, 2, 0];
      const padded = call({ landmarks: 4, keyLengths: lengths, queryLengths: lengths })(x);
      for (const b of [1, 2]) {
        const n = lengths[b]!;
        const one = { ...x, q: example(x.q, b, n), k: example(x.k, b, n), v: example(x.v, b, n) };
        const alone = call({ landmarks: Math.min(4, n) })(one);
        expectClose(alone, example(padded, b, n), 1e-5);
        expect(
          firstSteps(example(padded, b), n, 9)
            .dataSync()
            .every((value) => value === 0),
        ).toBe(true);
      }
      expect(
        example(padded, 3)
          .dataSync()
          .every((value) => value === 0),
      ).toBe(true);
    });
  });

  it("lets NaN in padding reach nothing, gradients included", () => {
    const x = { ...qkv(17, { B: 2, H: 2, T: 7, D: 3, Dv: 2 }), conv: drawn<tf.Tensor>(20, [3, 2]) };
    const lengths = [5, 2];
    const hidden = (b: number, t: number) => t >= lengths[b]!;
    const f = call({ landmarks: 3, keyLengths: lengths, queryLengths: lengths });
    const dirty = { ...x, q: spoil(x.q, hidden), k: spoil(x.k, hidden), v: spoil(x.v, hidden) };
    const [clean, spoiled] = [withGradients(f, x), withGradients(f, dirty)];
    expect(spoiled).toEqual(clean);
    expect(Object.values(clean.gradients).every((one) => one.every(Number.isFinite))).toBe(true);
  });

  it("leaves no tensor behind but its output, and stores nothing of T·S", async () => {
    const { q, k, v } = qkv(21, { B: 1, H: 1, T: 256, D: 4, Dv: 3 });
    const before = tf.memory().numTensors;
    const { kernels } = await tf.profile(() => nystromAttention(q, k, v, {}, { landmarks: 8 }).output);
    expect(tf.memory().numTensors).toBe(before + 1);
    if (tf.getBackend() === "heed") {
      const sizes = kernels.flatMap(({ outputShapes }) =>
        outputShapes.map((shape) => shape.reduce((n, m) => n * m, 1)),
      );
      expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 4);
    }
  });

  it("refuses more landmarks than positions, filters of even lengths, and a skip over another number of values", () => {
    const { q, k, v } = qkv(24, { B: 1, H: 2, T: 5, S: 7, D: 3, Dv: 2 });
    expect(refusal(() => nystromAttention(q, k, v, {}, { landmarks: 6 }))).toBe(
      "nystromAttention: landmarks must be an integer from 1 to 5, got 6; choose one in that range or leave it out",
    );
    expect(refusal(() => nystromAttention(q, k, v, {}, { landmarks: 0 }))).toMatch(/from 1 to 5, got 0/);
    expect(refusal(() => nystromAttention(q, k, v, {}, { iterations: 0 }))).toMatch(
      /iterations must be an integer ≥ 1/,
    );
    expect(refusal(() => nystromAttention(k, k, v, { conv: tf.zeros([4, 2]) }))).toBe(
      "nystromAttention: conv [K, H] must have an odd length K, so that it has a middle, got K=4; use 3 or 5",
    );
    expect(refusal(() => nystromAttention(k, k, v, { conv: tf.zeros([3, 3]) }))).toMatch(
      /conv \[K, H\] must have shape \[3, 2\] or \[3, 1\] here, got \[3, 3\]/,
    );
    expect(refusal(() => nystromAttention(q, k, v, { conv: tf.zeros([3, 2]) }))).toBe(
      "nystromAttention: the skip over the values must have as many queries as keys, got T=5 and S=7; leave conv out",
    );
    expect(refusal(() => nystromAttention(drawn(1, [1, 4, 5, 3]), k, v))).toMatch(
      /k \[B, H, S, D\] must have shape/,
    );
  });
});
