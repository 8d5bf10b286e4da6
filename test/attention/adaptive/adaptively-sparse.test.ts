import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type AdaptivelySparseOptions, adaptivelySparse } from "../../../src/attention/adaptive/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { referenceEntmax } from "../normalize/reference.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { expectFixture } from "./fixture.ts";

const [B, H, HKV, T, S, D, DV] = [2, 6, 3, 5, 7, 11, 13];
const inputs = () => ({
  q: tf.mul(tensor<tf.Tensor4D>(random(1, [B, H, T, D])), 1.5) as tf.Tensor4D,
  k: tensor<tf.Tensor4D>(random(2, [B, HKV, S, D])),
  v: tensor<tf.Tensor4D>(random(3, [B, HKV, S, DV])),
});
const A = [-3, -1, 0, 0.5, 1, 3];
const run = (options: AdaptivelySparseOptions = {}, { q, k, v } = inputs(), a: tf.Tensor = tf.tensor1d(A)) =>
  adaptivelySparse(q, k, v, { a: a as tf.Tensor1D }, { ...options, weights: true });

onEveryBackend("adaptivelySparse", () => {
  it("has the values and gradients of the entmax package, those of α's parameter too", () => {
    expectFixture<AdaptivelySparseOptions>("adaptively-sparse", ({ q, k, v, a }, options) =>
      adaptivelySparse(
        q as tf.Tensor4D,
        k as tf.Tensor4D,
        v as tf.Tensor4D,
        { a: a as tf.Tensor1D },
        {
          ...options,
          weights: true,
        },
      ),
    );
  });

  it("equals its float64 loops, head by head with its own α, neighbours sharing a key head", () => {
    tf.tidy(() => {
      const x = inputs();
      const { output, weights, alpha } = run({}, x);
      const [q, k, v] = [x.q.dataSync(), x.k.dataSync(), x.v.dataSync()];
      const shapes = A.map((a) => 1 + 1 / (1 + Math.exp(-a)));
      expect(distance(alpha.dataSync(), shapes)).toBeLessThanOrEqual(1e-6);
      for (let row = 0; row < B * H * T; row++) {
        const [b, h] = [Math.floor(row / (H * T)), Math.floor(row / T) % H];
        const first = (b * HKV + Math.floor((h * HKV) / H)) * S;
        const scores = Array.from({ length: S }, (_, s) => {
          let sum = 0;
          for (let d = 0; d < D; d++) sum += q[row * D + d]! * k[(first + s) * D + d]!;
          return sum / Math.sqrt(D);
        });
        const expected = referenceEntmax(scores, shapes[h]!, scores).weights;
        expect(distance(weights.dataSync().slice(row * S, row * S + S), expected)).toBeLessThanOrEqual(1e-5);
        for (let c = 0; c < DV; c++) {
          const sum = expected.reduce((total, p, s) => total + p * v[(first + s) * DV + c]!, 0);
          expect(Math.abs(output.dataSync()[row * DV + c]! - sum)).toBeLessThanOrEqual(4e-5);
        }
      }
    });
  });

  it("is nearly soft attention where a is very low, and has zeros where it is high", () => {
    tf.tidy(() => {
      const x = inputs();
      const low = run({}, x, tf.fill([H], -9));
      const soft = softAttention(x.q, x.k, x.v, { weights: true });
      // α − 1 = 1.2e-4, and weights change with α by no more than their scores' squares, about 10.
      expect(distance(low.weights.dataSync(), soft.weights.dataSync())).toBeLessThanOrEqual(2e-3);
      const zeros = (a: number) =>
        run({}, x, tf.fill([H], a))
          .weights.dataSync()
          .filter((w) => w === 0).length;
      expect(zeros(4)).toBeGreaterThan(zeros(0));
      expect(zeros(0)).toBeGreaterThan(zeros(-9));
    });
  });

  it.each([
    [[1, 2, 1, 3, 5, 2, 3], {}],
    [[2, 1, 1, 1, 3, 5, 2], {}],
    [[1, 3, 3, 5, 2, 3, 1], {}],
    [[2, 1, 1, 3, 5, 2, 3], { keyLengths: [0, 3], causal: "bottomRight" }],
  ] as const)(
    "has gradients that agree with differences, [B, H, Hkv, T, S, D, Dv] = %j, %j",
    (sizes, mask) => {
      const [b, h, hkv, t, s, d, dv] = sizes;
      // Small scores, so that every visible key stays in the support, where the weights are smooth.
      const small = (seed: number, shape: number[]) => tf.mul(tensor(random(seed, shape)), 0.2);
      const x = {
        q: small(4, [b, h, t, d]),
        k: small(5, [b, hkv, s, d]),
        v: small(6, [b, hkv, s, dv]),
        a: tf.tensor1d([0.3, -0.2, 0.7].slice(0, h)),
      };
      const f = ({ q, k, v, a }: Record<string, tf.Tensor>) =>
        adaptivelySparse(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { a: a as tf.Tensor1D }, mask)
          .output;
      expect(() => gradcheckTensors(f, x, 200)).not.toThrow();
    },
  );

  it("every input and the shape of every head receive a gradient", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const f = (...x: tf.Tensor[]) =>
        adaptivelySparse(x[0] as tf.Tensor4D, x[1] as tf.Tensor4D, x[2] as tf.Tensor4D, {
          a: x[3] as tf.Tensor1D,
        }).output;
      const gradients = tf
        .grads(f)([q, k, v, tf.tensor1d(A)])
        .map((gradient) => gradient.dataSync());
      for (const gradient of gradients.slice(0, 3)) expect(gradient.some((d) => d !== 0)).toBe(true);
      expect(gradients[3]!.every((d) => d !== 0 && Number.isFinite(d))).toBe(true);
    });
  });

  it("gives hidden keys and empty rows 0, lets NaN in hidden places reach nothing, and drops weights in training only", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const hide = (x: tf.Tensor4D) =>
        tf.concat(
          [tf.slice(x, 0, [B, HKV, 4, -1]), tf.fill([B, HKV, 3, x.shape[3]], Number.NaN)],
          2,
        ) as tf.Tensor4D;
      const options = { keyLengths: [0, 4], dropout: { rate: 0.5, seed: 1 } };
      const clean = run(options, { q, k, v });
      const dirty = run(options, { q, k: hide(k), v: hide(v) });
      expect(dirty.output.dataSync()).toEqual(clean.output.dataSync());
      expect([...clean.weights.dataSync().subarray(0, H * T * S)].every((w) => w === 0)).toBe(true);
      const da = tf
        .grad((a) => run(options, { q, k: hide(k), v: hide(v) }, a).output)(tf.tensor1d(A))
        .dataSync();
      expect(da.every(Number.isFinite)).toBe(true);
      const dropped = run({ ...options, training: true }, { q, k, v });
      expect(dropped.weights.dataSync()).toEqual(clean.weights.dataSync());
      expect(dropped.output.dataSync()).not.toEqual(clean.output.dataSync());
    });
  });

  it("leaves no tensor behind, and refuses shapes of other heads", () => {
    tf.tidy(() => {
      const x = inputs();
      const a = tf.tensor1d(A);
      const before = tf.memory().numTensors;
      run({ keyLengths: [2, 3] }, x, a);
      expect(tf.memory().numTensors).toBe(before + 3);
      const attempt = () => run({}, x, tf.ones([2]));
      const message =
        "adaptivelySparse: a [H] must have shape [6] here, got [2]; give one number for each query head";
      expect(attempt).toThrow(ShapeError);
      expect(attempt).toThrow(expect.objectContaining({ message }));
    });
  });
});
