import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { hardMaskAttention, maskAttention } from "../../../src/attention/feature/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheck, gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";

onEveryBackend("mask attention", () => {
  it("is the identity bit for bit where a ≡ 1, and 0 where a ≡ 0", () => {
    const z = tensor(random(1, [3, 7]));
    expect(maskAttention(z, tf.onesLike(z)).shape).toEqual([3, 7]);
    expect(maskAttention(z, tf.onesLike(z)).dataSync()).toEqual(z.dataSync());
    expect(
      maskAttention(z, tf.zerosLike(z))
        .dataSync()
        .every((n) => n === 0),
    ).toBe(true);
  });

  it("passes gradients to both networks, a = f_φ(x) and z = f_θ(x), to 1e-6 of float64 differences", () => {
    tf.tidy(() => {
      const [N, C, K] = [3, 5, 7];
      const x = random(2, [N, C]);
      const phi = random(3, [C, K]);
      const theta = random(4, [C, K]);
      const cotangents = random(5, [N, K]);
      const network = (p: tf.Tensor, t: tf.Tensor) =>
        maskAttention(
          tf.matMul(tensor<tf.Tensor2D>(x), t as tf.Tensor2D),
          tf.sigmoid(tf.matMul(tensor<tf.Tensor2D>(x), p as tf.Tensor2D)),
        );
      const [dphi, dtheta] = tf.grads(network)([tensor(phi), tensor(theta)], tensor(cotangents));
      const row = (w: Float64Array, n: number, k: number) => {
        let sum = 0;
        for (let c = 0; c < C; c++) sum += x.values[n * C + c]! * w[c * K + k]!;
        return sum;
      };
      const loss = (w: Record<string, Float64Array>) => {
        let sum = 0;
        for (let n = 0; n < N; n++)
          for (let k = 0; k < K; k++)
            sum += (cotangents.values[n * K + k]! * row(w.theta!, n, k)) / (1 + Math.exp(-row(w.phi!, n, k)));
        return sum;
      };
      const weights = { phi: phi.values, theta: theta.values };
      expect(
        gradcheck(loss, weights, { phi: dphi!.dataSync(), theta: dtheta!.dataSync() }).error,
      ).toBeLessThanOrEqual(1e-6);
    });
  });

  it("keeps exactly the features of a hard mask, in their order, as many as it has ones", () => {
    const z = tf.tensor2d([
      [5, 6, 7, 8],
      [1, 2, 3, 4],
    ]);
    const kept = hardMaskAttention(z, tf.tensor1d([1, 0, 0, 1]));
    expect(kept.shape).toEqual([2, 2]);
    expect([...kept.dataSync()]).toEqual([5, 8, 1, 4]);
    expect(hardMaskAttention(z, tf.tensor1d([0, 0, 0, 0])).shape).toEqual([2, 0]);
  });

  it("soft masks select the same features as hard ones when a → {0, 1}", () => {
    const z = tensor<tf.Tensor1D>(random(6, [11]));
    const logits = tensor<tf.Tensor1D>(random(7, [11]));
    const soft = maskAttention(z, tf.sigmoid(tf.mul(logits, 1e4)));
    const hard = hardMaskAttention(z, tf.cast(tf.greater(logits, 0), "float32") as tf.Tensor1D);
    const selected = soft.dataSync().filter((n) => n !== 0);
    expect(distance(selected, hard.dataSync())).toBeLessThanOrEqual(1e-6);
    expect(hard.size).toBeGreaterThan(0);
  });

  it("passes a hard mask's gradient to the kept features alone", () => {
    const z = tf.tensor1d([5, 6, 7]);
    const gradient = tf.grad((x) => hardMaskAttention(x, tf.tensor1d([1, 0, 1])))(z, tf.tensor1d([2, 3]));
    expect([...gradient.dataSync()]).toEqual([2, 0, 3]);
    expect(() =>
      gradcheckTensors(({ a }) => maskAttention(z, a!), { a: tf.tensor1d([0.2, 0.3, 0.9]) }),
    ).not.toThrow();
  });

  it("refuses masks of another shape, and hard masks that are not 0 and 1", () => {
    expect(() => maskAttention(tf.zeros([2, 3]), tf.zeros([3]))).toThrow(ShapeError);
    expect(() => maskAttention(tf.zeros([2, 3]), tf.zeros([3]))).toThrow(
      "maskAttention: z and a must have the same shape, got shapes [2, 3] and [3]; make their shape equal",
    );
    expect(() => hardMaskAttention(tf.zeros([2, 3]), tf.zeros([2]))).toThrow(
      "hardMaskAttention: z [..., k] and a [k] must have the same k, got shapes [2, 3] and [2]; make their k equal",
    );
    const half = () => hardMaskAttention(tf.zeros([3]), tf.tensor1d([1, 0.5, 0]));
    expect(half).toThrow(OptionError);
    expect(half).toThrow(
      "hardMaskAttention: a hard mask must hold 0 and 1 only, got 0.5 at 1; use maskAttention for soft masks",
    );
  });
});
