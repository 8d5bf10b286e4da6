import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  orthogonalRandomFeatures,
  type PerformerOptions,
  performerAttention,
} from "../../../src/attention/linear/index.ts";
import { attention } from "../../../src/ops/attention.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import {
  drawn,
  example,
  expectClose,
  expectFixture,
  expectSame,
  firstSteps,
  fixture,
  type Inputs,
  qkv,
  refusal,
  SIZES,
  spoil,
  withGradients,
} from "./linear-support.ts";

const call =
  (options: PerformerOptions = {}) =>
  ({ q, k, v, w }: Inputs) =>
    performerAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { w: w as tf.Tensor2D }, options)
      .output;

/** Queries and keys of half the size: then the variance of a weight, e^{|q + k|²·scale} of its square, is near 3. */
function small(seed: number, sizes: Parameters<typeof qkv>[1]) {
  const { q, k, v } = qkv(seed, sizes);
  return { q: tf.mul(q, 0.5) as tf.Tensor4D, k: tf.mul(k, 0.5) as tf.Tensor4D, v };
}

onEveryBackend("Performer", () => {
  it.each(fixture("performer"))("gives what PyTorch gives in float64: $name", (one) => {
    expectFixture(one, call(one.options));
  });

  it("comes near softmax attention with many features, for all keys and causal", () => {
    tf.tidy(() => {
      const { q, k, v } = small(1, { B: 1, H: 2, T: 11, D: 4, Dv: 3 });
      const w = orthogonalRandomFeatures(8192, 4, { seed: 3 });
      for (const options of [{}, { causal: true, chunkSize: 4 }, { keyLengths: [5] }, { scale: 0.25 }]) {
        const { chunkSize: _, ...exact } = options as { chunkSize?: number };
        const expected = attention(q, k, v, exact).output;
        const { output } = performerAttention(q, k, v, { w }, options);
        // A weight errs by √(3/8192) = 0.02 of itself; values are of size 1, and 4 deviations are rare enough.
        expectClose(expected, output, 0.08);
      }
    });
  });

  it("has an error that falls as 1/√m", () => {
    tf.tidy(() => {
      const { q, k, v } = small(4, { B: 1, H: 2, T: 16, D: 4, Dv: 3 });
      const exact = attention(q, k, v).output;
      const error = (m: number) => {
        let sum = 0;
        for (let seed = 0; seed < 24; seed++) {
          const w = orthogonalRandomFeatures(m, 4, { seed });
          const { output } = performerAttention(q, k, v, { w });
          sum += tf.mean(tf.squaredDifference(output, exact)).dataSync()[0]!;
        }
        return Math.sqrt(sum / 24);
      };
      const slope = Math.log(error(1024) / error(32)) / Math.log(1024 / 32);
      expect(slope).toBeGreaterThan(-0.7);
      expect(slope).toBeLessThan(-0.3);
    });
  });

  it("gives the same values and gradients in all three forms, to 1e-5", () => {
    const x = { ...qkv(7, { B: 1, H: 4, Hkv: 2, T: 13, D: 5, Dv: 3 }), w: drawn<tf.Tensor>(10, [11, 5]) };
    const parallel = call({ causal: true, form: "parallel" });
    expectSame(parallel, call({ causal: true, chunkSize: 4 }), x);
    expectSame(parallel, call({ causal: true, form: "recurrent" }), x);
  });

  it.each(SIZES)("has the gradients of central differences at $B $H $T $D $Dv", (sizes) => {
    gradcheckTensors(call({ keyLengths: Array(sizes.B).fill(sizes.T - 1) }), {
      ...small(11, sizes),
      w: drawn<tf.Tensor>(14, [2, sizes.D], 0.5),
    });
  });

  it("goes on from a state", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(15, { B: 2, H: 2, T: 9, D: 4, Dv: 3 });
      const w = orthogonalRandomFeatures(8, 4);
      const whole = performerAttention(q, k, v, { w }, { causal: true, returnState: true });
      const part = (from: number, to: number) =>
        [q, k, v].map((x) => firstSteps(x, from, to)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const early = performerAttention(...part(0, 5), { w }, { causal: true, returnState: true });
      const { state } = early;
      const late = performerAttention(...part(5, 9), { w }, { causal: true, state, returnState: true });
      expectClose(whole.output, tf.concat([early.output, late.output], 2), 1e-6);
      expectClose(whole.state, late.state, 1e-6);
    });
  });

  it("overflows nowhere, with wide heads, long directions and large queries", () => {
    const x = {
      ...qkv(18, { B: 1, H: 1, T: 5, D: 256, Dv: 3 }),
      w: orthogonalRandomFeatures(64, 256) as tf.Tensor,
    };
    const along = { ...x, k: tf.reshape(tf.mul(tf.slice(x.w, [0, 0], [5, 256]), 4), [1, 1, 5, 256]) };
    for (const given of [x, along, { ...x, q: tf.mul(x.q, 10) }]) {
      const { output, gradients } = withGradients(call(), given);
      expect([output, ...Object.values(gradients)].every((one) => one.every(Number.isFinite))).toBe(true);
    }
  });

  it("has finite gradients where the weights of a query are at float32's end", () => {
    tf.tidy(() => {
      for (const seed of [30, 33, 36, 39]) {
        const { q, k, v } = qkv(seed, { B: 1, H: 2, T: 9, D: 4, Dv: 3 });
        const w = orthogonalRandomFeatures(64, 4, { seed: 1 });
        for (const size of [8, 10, 12, 16, 20]) {
          const x = { q: tf.mul(q, size), k: tf.mul(k, size), v, w };
          for (const causal of [false, true]) {
            const { output, gradients } = withGradients(call({ causal }), x);
            for (const all of [output, ...Object.values(gradients)]) {
              expect(all.every(Number.isFinite)).toBe(true);
            }
          }
        }
      }
    });
  });

  it("gives a padded example what it gives alone, and NaN in padding reaches nothing", () => {
    const x = { ...qkv(21, { B: 2, H: 2, T: 7, D: 4, Dv: 3 }), w: drawn<tf.Tensor>(24, [5, 4]) };
    const lengths = [7, 3];
    const f = call({ keyLengths: lengths, queryLengths: lengths });
    const alone = call()({ ...x, q: example(x.q, 1, 3), k: example(x.k, 1, 3), v: example(x.v, 1, 3) });
    expectClose(alone, example(f(x), 1, 3), 1e-6);
    const hidden = (b: number, t: number) => t >= lengths[b]!;
    const dirty = { ...x, q: spoil(x.q, hidden), k: spoil(x.k, hidden), v: spoil(x.v, hidden) };
    expect(withGradients(f, dirty)).toEqual(withGradients(f, x));
    const none = call({ keyLengths: [7, 0] })(x);
    expect(
      example(none, 1)
        .dataSync()
        .every((value) => value === 0),
    ).toBe(true);
  });

  it("draws directions that are orthogonal in blocks of D, as long as normal vectors, the same for a seed", () => {
    tf.tidy(() => {
      const w = orthogonalRandomFeatures(13, 5, { seed: 2 });
      expect(w.dataSync()).toEqual(orthogonalRandomFeatures(13, 5, { seed: 2 }).dataSync());
      expect(w.dataSync()).not.toEqual(orthogonalRandomFeatures(13, 5, { seed: 3 }).dataSync());
      const gram = tf.matMul(w, w, false, true).arraySync() as number[][];
      for (let i = 0; i < 13; i++) {
        for (let j = 0; j < i; j++) {
          if (Math.floor(i / 5) === Math.floor(j / 5)) expect(Math.abs(gram[i]![j]!)).toBeLessThan(1e-5);
        }
      }
      const many = orthogonalRandomFeatures(2000, 5, { seed: 4 });
      // The mean of 2000 χ² numbers of 5 degrees, whose deviation is √10/√2000 = 0.07.
      expect(tf.mean(tf.sum(tf.square(many), 1)).dataSync()[0]).toBeCloseTo(5, 0);
      expect(Math.abs(tf.mean(many).dataSync()[0]!)).toBeLessThan(0.05);
    });
  });

  it("leaves no tensor behind but those it returns, and refuses directions of another width", () => {
    const { q, k, v } = qkv(27, { B: 1, H: 2, T: 5, D: 3, Dv: 2 });
    const w = orthogonalRandomFeatures(4, 3);
    const before = tf.memory().numTensors;
    tf.dispose(performerAttention(q, k, v, { w }, { causal: true, returnState: true, weights: true }));
    expect(tf.memory().numTensors).toBe(before);
    expect(refusal(() => performerAttention(q, k, v, { w: tf.zeros([4, 2]) }))).toBe(
      "performerAttention: w [m, D] must have shape [4, 3] here, got [4, 2]; each letter must mean the same size in all inputs",
    );
    expect(refusal(() => performerAttention(q, k, v, { w }, { scale: -1 }))).toMatch(
      /scale must be a number ≥ 0, got -1/,
    );
    expect(refusal(() => performerAttention(q, k, v, { w }, { causal: true, chunkSize: 0 }))).toMatch(
      /chunkSize/,
    );
    expect(refusal(() => orthogonalRandomFeatures(0, 3))).toBe(
      "orthogonalRandomFeatures: m must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    );
  });
});
