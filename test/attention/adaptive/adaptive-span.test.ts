import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type AdaptiveSpanOptions,
  adaptiveSpan,
  spanPenalty,
} from "../../../src/attention/adaptive/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { expectFixture } from "./fixture.ts";

const [B, H, HKV, T, S, D, DV] = [2, 3, 3, 5, 7, 11, 13];
const inputs = (queries = T) => ({
  q: tensor<tf.Tensor4D>(random(1, [B, H, queries, D])),
  k: tensor<tf.Tensor4D>(random(2, [B, HKV, S, D])),
  v: tensor<tf.Tensor4D>(random(3, [B, HKV, S, DV])),
});
const Z = [0.5, 1.25, 2.75];

onEveryBackend("adaptiveSpan", () => {
  it("has the values and gradients of the authors' PyTorch code", () => {
    expectFixture<AdaptiveSpanOptions>("adaptive-span", ({ q, k, v, z }, options) =>
      adaptiveSpan(
        q as tf.Tensor4D,
        k as tf.Tensor4D,
        v as tf.Tensor4D,
        { z: z as tf.Tensor1D },
        {
          ...options,
          weights: true,
        },
      ),
    );
  });

  it("equals its float64 loops, in both directions, with exact zeros beyond z + R", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs(S);
      const ramp = 1.5;
      const options = { ramp, weights: true } as const;
      const { output, weights } = adaptiveSpan(q, k, v, { z: tf.tensor1d(Z) }, options);
      const [queries, keys, values] = [q.dataSync(), k.dataSync(), v.dataSync()];
      const expected = { weights: [] as number[], output: [] as number[] };
      for (let row = 0; row < B * H * S; row++) {
        const [bh, t] = [Math.floor(row / S), row % S];
        const shares = Array.from({ length: S }, (_, s) => {
          let score = 0;
          for (let d = 0; d < D; d++) score += queries[row * D + d]! * keys[(bh * S + s) * D + d]!;
          const mask = Math.min(1, Math.max(0, (ramp + Z[bh % H]! - Math.abs(t - s)) / ramp));
          return mask * Math.exp(score / Math.sqrt(D));
        });
        const total = shares.reduce((sum, share) => sum + share, 0);
        expected.weights.push(...shares.map((share) => share / total));
        for (let c = 0; c < DV; c++) {
          expected.output.push(
            shares.reduce((sum, share, s) => sum + (share / total) * values[(bh * S + s) * DV + c]!, 0),
          );
        }
      }
      // ln m is rounded to 2⁻²⁴ of its size, below 4, and so is the score.
      expect(distance(weights.dataSync(), expected.weights)).toBeLessThanOrEqual(16 * ROUNDING);
      expect(distance(output.dataSync(), expected.output)).toBeLessThanOrEqual(64 * ROUNDING);
      expect([...weights.dataSync()].map((w) => w === 0)).toEqual(expected.weights.map((w) => w === 0));
    });
  });

  it("is soft attention where the span covers every key, and reads its own key alone at z = 0 with a short ramp", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs(S);
      const wide = adaptiveSpan(q, k, v, { z: tf.fill([H], S) }).output;
      expect(distance(wide.dataSync(), softAttention(q, k, v).output.dataSync())).toBeLessThanOrEqual(1e-6);
      const own = adaptiveSpan(q, k, v, { z: tf.zeros([H]) }, { ramp: 1 }).output;
      expect(distance(own.dataSync(), v.dataSync())).toBeLessThanOrEqual(1e-6);
    });
  });

  it("takes z's gradient from the ramp and its inner end: nothing beyond, nothing where the mask is 1", () => {
    tf.tidy(() => {
      const x = tf.zeros<tf.Rank.R4>([1, 1, 1, 1]);
      // Scores 0, distances 4 … 0; R = 2, z = 2: m = 0, ½, 1, 1, 1, and dm/dz = ½ at the distances 3 and 2.
      const values = [1, 10, 100, 1000, 10000];
      const v = tf.tensor4d(values, [1, 1, 5, 1]);
      const f = (z: tf.Tensor) =>
        adaptiveSpan(
          x,
          tf.zeros([1, 1, 5, 1]),
          v,
          { z: z as tf.Tensor1D },
          { ramp: 2, causal: "bottomRight" },
        ).output;
      const total = 3.5;
      const mean = (0.5 * 10 + 100 + 1000 + 10000) / total;
      const expected = (0.5 * (10 - mean) + 0.5 * (100 - mean)) / total;
      const got = tf
        .grad(f)(tf.tensor1d([2]))
        .dataSync()[0]!;
      expect(Math.abs(got / expected - 1)).toBeLessThanOrEqual(16 * ROUNDING);
      // Far below the ramp nothing reaches it, and nothing is NaN.
      expect(
        Math.abs(
          tf
            .grad(f)(tf.tensor1d([-2.5]))
            .dataSync()[0]!,
        ),
      ).toBe(0);
      expect([...f(tf.tensor1d([-2.5])).dataSync()]).toEqual([0]);
    });
  });

  it.each([
    [[1, 2, 3, 3, 2, 5], { causal: true }],
    [[2, 1, 1, 5, 3, 2], { causal: "bottomRight" }],
    [[1, 3, 5, 5, 2, 3], {}],
    [[2, 1, 2, 3, 5, 2], { causal: "bottomRight", keyLengths: [0, 3] }],
  ] as const)("has gradients that agree with differences, [B, H, T, S, D, Dv] = %j, %j", (sizes, mask) => {
    const [b, h, t, s, d, dv] = sizes;
    const small = (seed: number, shape: number[]) => tf.mul(tensor(random(seed, shape)), 0.5);
    const x = {
      q: small(4, [b, h, t, d]),
      k: small(5, [b, h, s, d]),
      v: small(6, [b, h, s, dv]),
      // Between whole numbers by more than two steps, so that no key enters or leaves the ramp.
      z: tf.tensor1d([0.4, 1.3, 0.6].slice(0, h)),
    };
    const f = ({ q, k, v, z }: Record<string, tf.Tensor>) =>
      adaptiveSpan(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { z: z as tf.Tensor1D }, {
        ...mask,
        ramp: 2,
      } as AdaptiveSpanOptions).output;
    expect(() => gradcheckTensors(f, x, 64)).not.toThrow();
    const gradients = tf.grads((...given: tf.Tensor[]) =>
      f({ q: given[0]!, k: given[1]!, v: given[2]!, z: given[3]! }),
    )(Object.values(x));
    for (const gradient of gradients) expect(gradient.dataSync().some((value) => value !== 0)).toBe(true);
  });

  it("composes with bias, allow and lengths, gives an empty row 0, and lets NaN in hidden places reach nothing", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const z = tf.tensor1d(Z);
      const options = {
        ramp: 3,
        causal: "bottomRight",
        keyLengths: [0, 4],
        bias: tensor(random(7, [T, S])),
        allow: tf.notEqual(tf.reshape(tf.range(0, S), [1, S]), 1),
        weights: true,
      } as const;
      const hide = (x: tf.Tensor4D) =>
        tf.concat(
          [tf.slice(x, 0, [B, HKV, 4, -1]), tf.fill([B, HKV, 3, x.shape[3]], Number.NaN)],
          2,
        ) as tf.Tensor4D;
      const clean = adaptiveSpan(q, k, v, { z }, options);
      const dirty = adaptiveSpan(q, hide(k), hide(v), { z }, options);
      expect(dirty.output.dataSync()).toEqual(clean.output.dataSync());
      expect(
        clean.output
          .dataSync()
          .subarray(0, H * T * DV)
          .every((value) => value === 0),
      ).toBe(true);
      clean.weights.dataSync().forEach((w, e) => {
        if (e % S === 1 || e % S >= 4) expect(w).toBe(0);
      });
      const dz = tf.grad((x) => adaptiveSpan(q, hide(k), hide(v), { z: x as tf.Tensor1D }, options).output)(
        z,
      );
      expect(dz.dataSync().every((d) => Number.isFinite(d) && d !== 0)).toBe(true);
    });
  });

  it("gives the same with a maxSpan that no head exceeds, and runs as one kernel", async () => {
    const { q, k, v } = inputs(S);
    const z = tf.tensor1d(Z);
    const run = (maxSpan?: number) => adaptiveSpan(q, k, v, { z }, { ramp: 1.5, maxSpan });
    expect(distance(run(2.75).output.dataSync(), run().output.dataSync())).toBeLessThanOrEqual(1e-6);
    const { kernels } = await tf.profile(() => run(2.75).output);
    const names = kernels.map(({ name }) => name);
    expect(names).toContain("HeedAttention");
    expect(names).not.toContain("BatchMatMul");
  });

  it("the penalty is λ times the mean span, with the gradient λ/H", () => {
    tf.tidy(() => {
      const z = tf.tensor1d([1, 2, 6]);
      expect(spanPenalty(z, 0.5).dataSync()[0]).toBe(1.5);
      const gradient = tf
        .grad((x) => spanPenalty(x, 0.5))(z)
        .dataSync();
      expect(distance(gradient, [1 / 6, 1 / 6, 1 / 6])).toBeLessThanOrEqual(ROUNDING);
    });
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const z = tf.tensor1d(Z);
      const before = tf.memory().numTensors;
      adaptiveSpan(q, k, v, { z }, { causal: "bottomRight", keyLengths: [2, 3], maxSpan: 4, weights: true });
      expect(tf.memory().numTensors).toBe(before + 2);
    });
  });

  const call = (options: object, z: tf.Tensor = tf.ones([H]), queries = T) => {
    const { q, k, v } = inputs(queries);
    return adaptiveSpan(q, k, v, { z: z as tf.Tensor1D }, options);
  };
  const refused: [string, typeof OptionError | typeof ShapeError, () => unknown, string][] = [
    [
      "spans of other heads",
      ShapeError,
      () => call({}, tf.ones([2]), S),
      "adaptiveSpan: z [H] must have shape [3] here, got [2]; give one span for each query head",
    ],
    [
      "a ramp of 0",
      OptionError,
      () => call({ ramp: 0 }),
      "adaptiveSpan: ramp must be a positive number, got 0; choose one in that range or leave it out",
    ],
    [
      "a largest span of 0",
      OptionError,
      () => call({ maxSpan: 0 }),
      "adaptiveSpan: maxSpan must be a positive number, got 0; choose one in that range or leave it out",
    ],
    [
      "T ≠ S without a corner",
      OptionError,
      () => call({}),
      "adaptiveSpan: a window must know where query 0 stands when T ≠ S, got T=5 and S=7; give queryOffset, the key position of the first query (0 aligns the first ones, S − T the last ones)",
    ],
    [
      "a penalty below 0",
      OptionError,
      () => spanPenalty(tf.ones([2]), -1),
      "spanPenalty: weight must be a number ≥ 0, got -1; choose one in that range or leave it out",
    ],
  ];
  it.each(refused)("refuses %s", (_, error, attempted, message) => {
    const attempt = () => tf.tidy(() => void attempted());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
