import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  logProbability,
  type SampledAttentionOptions,
  sampledAttention,
} from "../../../src/attention/discrete/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { CHI_SQUARE_99, chiSquare } from "./chi-square.ts";

const [B, H, HKV, T, S, D, DV] = [2, 6, 3, 5, 7, 11, 13];
const inputs = (Hkv = HKV) => ({
  q: tensor<tf.Tensor4D>(random(1, [B, H, T, D])),
  k: tensor<tf.Tensor4D>(random(2, [B, Hkv, S, D])),
  v: tensor<tf.Tensor4D>(random(3, [B, Hkv, S, DV])),
});
const run = (options: SampledAttentionOptions = {}, { q, k, v } = inputs()) =>
  sampledAttention(q, k, v, { ...options, weights: true });

/** The value row of each output, bit for bit: what index says, in the head that query head h reads. */
function expectRows(v: tf.Tensor, { output, index }: ReturnType<typeof run>, Hkv = HKV): void {
  const [values, out, keys] = [v.dataSync(), output.dataSync(), index.dataSync()];
  keys.forEach((s, row) => {
    const [b, h] = [Math.floor(row / (H * T)), Math.floor(row / T) % H];
    const from = ((b * Hkv + Math.floor((h * Hkv) / H)) * S + s) * DV;
    const expected = s < 0 ? new Float32Array(DV) : values.slice(from, from + DV);
    expect(out.slice(row * DV, row * DV + DV)).toEqual(expected);
  });
}

onEveryBackend("sampledAttention", () => {
  it("reads exactly one row of the values, bit for bit, in training and at inference", () => {
    tf.tidy(() => {
      const x = inputs();
      for (const options of [
        {},
        { training: true, seed: 3 },
        { training: true, seed: 4, causal: "topLeft" },
      ]) {
        const result = run(options as SampledAttentionOptions, x);
        expect(result.output.shape).toEqual([B, H, T, DV]);
        expect([result.index.shape, result.index.dtype]).toEqual([[B, H, T], "int32"]);
        expectRows(x.v, result);
      }
    });
  });

  it("has the weights of soft attention, and takes their argmax at inference", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const options = { keyLengths: [3, 7], scale: 0.4, softCap: 3 } as const;
      const { weights, index } = run(options, { q, k, v });
      const soft = softAttention(q, k, v, { ...options, weights: true }).weights;
      expect(distance(weights.dataSync(), soft.dataSync())).toBeLessThanOrEqual(1e-6);
      expect(index.dataSync()).toEqual(tf.argMax(soft, -1).dataSync());
    });
  });

  it("makes no weights at inference unless they are asked for, and always in training", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const plain = sampledAttention(q, k, v, { keyLengths: [3, 7] });
      expect(plain.weights).toBeUndefined();
      expect(plain.output.dataSync()).toEqual(run({ keyLengths: [3, 7] }).output.dataSync());
      expect(sampledAttention(q, k, v, { training: true, seed: 1 }).weights.shape).toEqual([B, H, T, S]);
    });
  });

  it("draws keys as often as the weights say, by a χ² test with p > 0.01", () => {
    tf.tidy(() => {
      const n = 8000;
      const q = tf.ones<tf.Rank.R4>([1, 1, n, 1]);
      const k = tensor<tf.Tensor4D>(random(5, [1, 1, 8, 1]));
      const { index, weights } = sampledAttention(q, k, tf.zeros([1, 1, 8, 2]), { training: true, seed: 6 });
      const counts = new Array(8).fill(0);
      for (const s of index.dataSync()) counts[s]++;
      expect(chiSquare(counts, [...weights.dataSync().subarray(0, 8)])).toBeLessThan(CHI_SQUARE_99[7]!);
    });
  });

  it("never reads a hidden key, gives an empty row 0 and the index −1, and lets NaN in hidden places reach nothing", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const hide = (x: tf.Tensor4D) =>
        tf.concat([tf.slice(x, 0, [B, HKV, 4, -1]), tf.fill([B, HKV, 3, x.shape[3]], Number.NaN)], 2);
      const allow = tf.tensor2d([1, 1, 0, 1, 1], [T, 1], "bool");
      const options = { keyLengths: [2, 4], allow, training: true, seed: 7, meanShare: 0.5 };
      const clean = run(options, { q, k, v });
      const dirty = run(options, { q, k: hide(k) as tf.Tensor4D, v: hide(v) as tf.Tensor4D });
      expect(dirty.output.dataSync()).toEqual(clean.output.dataSync());
      expect(dirty.index.dataSync()).toEqual(clean.index.dataSync());
      clean.index.dataSync().forEach((s, row) => {
        expect(s).toBeLessThan([2, 4][Math.floor(row / (H * T))]!);
        if (row % T === 2) expect(s).toBe(-1);
      });
      const empty = tf.slice(clean.output, [0, 0, 2, 0], [B, H, 1, DV]).dataSync();
      expect(empty.every((value) => value === 0)).toBe(true);
    });
  });

  it("passes a gradient from the output to the rows that were read, and from the log-probability to q and k", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const options = { training: true, seed: 8 };
      const { index } = run(options, { q, k, v });
      const dv = tf
        .grad((x) => run(options, { q, k, v: x as tf.Tensor4D }).output)(v)
        .dataSync();
      const read = new Float32Array(B * HKV * S);
      index.dataSync().forEach((s, row) => {
        const [b, h] = [Math.floor(row / (H * T)), Math.floor(row / T) % H];
        read[(b * HKV + Math.floor((h * HKV) / H)) * S + s]! += 1;
      });
      dv.forEach((d, e) => {
        expect(d).toBe(read[Math.floor(e / DV)]!);
      });
      const f = (x: tf.Tensor, y: tf.Tensor) =>
        logProbability(run(options, { q: x as tf.Tensor4D, k: y as tf.Tensor4D, v }).weights, index);
      for (const gradient of tf.grads(f)([q, k])) {
        expect(gradient.dataSync().some((d) => d !== 0)).toBe(true);
        expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
      }
    });
  });

  it.each([
    [{ B: 1, H: 2, Hkv: 1, T: 3, S: 5, D: 2 }, {}],
    [{ B: 2, H: 1, Hkv: 1, T: 1, S: 3, D: 5 }, {}],
    [{ B: 1, H: 1, Hkv: 1, T: 5, S: 2, D: 3 }, {}],
    [
      { B: 2, H: 1, Hkv: 1, T: 3, S: 5, D: 2 },
      { keyLengths: [0, 4], causal: "bottomRight" },
    ],
  ] as const)("has log-probabilities whose gradients agree with differences, %j %j", (sizes, mask) => {
    tf.tidy(() => {
      const q = tf.mul(tensor(random(9, [sizes.B, sizes.H, sizes.T, sizes.D])), 0.5);
      const k = tf.mul(tensor(random(10, [sizes.B, sizes.Hkv, sizes.S, sizes.D])), 0.5);
      const v = tf.zeros<tf.Rank.R4>([sizes.B, sizes.Hkv, sizes.S, 2]);
      const options = { training: true, seed: 11, ...mask } as const;
      const { index } = sampledAttention(q as tf.Tensor4D, k as tf.Tensor4D, v, options);
      const f = (x: Record<string, tf.Tensor>) =>
        logProbability(sampledAttention(x.q as tf.Tensor4D, x.k as tf.Tensor4D, v, options).weights, index);
      expect(() => gradcheckTensors(f, { q, k }, 32)).not.toThrow();
    });
  });

  it("reads the mean of the values for the share of examples that meanShare says, with soft attention's gradients", () => {
    tf.tidy(() => {
      const x = inputs();
      const soft = softAttention(x.q, x.k, x.v).output;
      const all = run({ training: true, seed: 1, meanShare: 1 }, x);
      expect(distance(all.output.dataSync(), soft.dataSync())).toBeLessThanOrEqual(1e-5);
      expect(all.index.dataSync().every((s) => s === -1)).toBe(true);
      const dq = (f: (q: tf.Tensor4D) => tf.Tensor) =>
        tf
          .grad((q) => f(q as tf.Tensor4D))(x.q)
          .dataSync();
      const expected = dq((q) => softAttention(q, x.k, x.v).output);
      const got = dq((q) => run({ training: true, seed: 1, meanShare: 1 }, { ...x, q }).output);
      expect(distance(got, expected)).toBeLessThanOrEqual(1e-4);
      // Of 400 examples about half, within 4 standard errors of 10.
      const many = [1, 1, 1].map((n) => tf.ones<tf.Rank.R4>([400, n, 2, 3]));
      const { index } = sampledAttention(many[0]!, many[1]!, many[2]!, {
        training: true,
        seed: 2,
        meanShare: 0.5,
      });
      const means = index.dataSync().filter((s) => s === -1).length / 2;
      expect(Math.abs(means - 200)).toBeLessThan(40);
    });
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const x = inputs();
      const before = tf.memory().numTensors;
      run({ training: true, seed: 1, meanShare: 0.5, keyLengths: [2, 5] }, x);
      expect(tf.memory().numTensors).toBe(before + 3);
    });
  });

  const refused: [string, typeof OptionError | typeof ShapeError, () => unknown, string][] = [
    [
      "training without a seed",
      OptionError,
      () => run({ training: true }),
      "sampledAttention: seed must be an integer ≥ 0, got undefined; choose one in that range or leave it out",
    ],
    [
      "a share above 1",
      OptionError,
      () => run({ training: true, seed: 1, meanShare: 1.5 }),
      "sampledAttention: meanShare must be from 0 to 1, got 1.5; choose one in that range or leave it out",
    ],
    [
      "no keys",
      ShapeError,
      () => sampledAttention(tf.ones([1, 1, 2, 3]), tf.zeros([1, 1, 0, 3]), tf.zeros([1, 1, 0, 3])),
      "sampledAttention: k [B, Hkv, S, D] must have S ≥ 1 keys, got S = 0; there must be something to choose",
    ],
    [
      "queries of rank 3",
      ShapeError,
      () =>
        sampledAttention(
          tf.ones([2, 3, 4]) as unknown as tf.Tensor4D,
          tf.ones([1, 1, 2, 4]),
          tf.ones([1, 1, 2, 4]),
        ),
      "sampledAttention: q [B, H, T, D] must have rank 4, got shape [2, 3, 4]; reshape it first",
    ],
  ];
  it.each(refused)("refuses %s", (_, error, call, message) => {
    const attempt = () => tf.tidy(() => void call());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
