/** Mechanisms that are the op `attention` with one thing changed: groups, one key head, windows, caps, sinks. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import {
  groupedQueryAttention,
  localWindowAttention,
  multiQueryAttention,
  sinkAttention,
  softAttention,
  softCapAttention,
  windowMask,
} from "../../../src/attention/index.ts";
import { attentionCost } from "../../../src/kernels/index.ts";
import { onEveryBackend } from "../support.ts";
import { attentionOracle, nested, normal, roundings } from "./oracle.ts";

const [B, T, S, H, HKV, D, DV] = [2, 3, 5, 6, 2, 7, 11];
const heads = (Hkv = HKV) => ({
  q: normal(1, B, H, T, D),
  k: normal(2, B, Hkv, S, D),
  v: normal(3, B, Hkv, S, DV),
});
const repeated = (x: tf.Tensor4D, times: number) =>
  tf.concat(
    tf.split(x, x.shape[1], 1).flatMap((head) => new Array(times).fill(head)),
    1,
  ) as tf.Tensor4D;

function groupTests(): void {
  it("equals its formula in float64 loops, neighbours sharing a head", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const expected = attentionOracle(nested(q), nested(k), nested(v));
      const { output, weights } = groupedQueryAttention(q, k, v, { weights: true });
      // Scores of up to 20 round once before exp.
      expect(roundings(weights, expected.weights)).toBeLessThanOrEqual(32);
      expect(roundings(output, expected.output)).toBeLessThanOrEqual(32);
    });
  });

  it("equals attention whose key and value heads are repeated, gradients summed over a group", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const shared = (...[a, b, c]: tf.Tensor[]) =>
        groupedQueryAttention(a as tf.Tensor4D, b as tf.Tensor4D, c as tf.Tensor4D).output;
      const copied = (...[a, b, c]: tf.Tensor[]) =>
        softAttention(a as tf.Tensor4D, repeated(b as tf.Tensor4D, 3), repeated(c as tf.Tensor4D, 3)).output;
      expect(roundings(shared(q, k, v), copied(q, k, v).arraySync())).toBeLessThanOrEqual(8);
      const dout = normal(4, B, H, T, DV);
      const [one, other] = [shared, copied].map((f) => tf.grads(f)([q, k, v], dout));
      one!.forEach((gradient, n) => {
        expect(roundings(gradient, other![n]!.arraySync())).toBeLessThanOrEqual(32);
      });
    });
  });

  it("of one head is multi-query attention, whose keys and values have no heads, in both layouts", () => {
    tf.tidy(() => {
      const { q, k, v } = heads(1);
      const expected = groupedQueryAttention(q, k, v, { causal: "topLeft" }).output;
      const [key, value] = [k, v].map((x) => tf.squeeze(x, [1])) as [tf.Tensor3D, tf.Tensor3D];
      const { output } = multiQueryAttention(q, key, value, { causal: "topLeft" });
      expect(output.dataSync()).toEqual(expected.dataSync());
      const options = { causal: "topLeft", layout: "bthd" } as const;
      const swapped = multiQueryAttention(tf.transpose(q, [0, 2, 1, 3]), key, value, options).output;
      expect(roundings(tf.transpose(swapped, [0, 2, 1, 3]), expected.arraySync())).toBeLessThanOrEqual(8);
    });
  });

  it("refuses heads that do not divide, and keys with heads where there are to be none", () => {
    tf.tidy(() => {
      const { q, k, v } = heads(4);
      expect(() => groupedQueryAttention(q, k, v)).toThrow(
        "groupedQueryAttention: query heads H=6 must be a multiple of key/value heads Hkv=4, got 6 and 4; " +
          "pass k and v with 1, 2, 3 or 6 heads",
      );
      expect(() => multiQueryAttention(q, k as unknown as tf.Tensor3D, normal(3, B, S, DV))).toThrow(
        "multiQueryAttention: k [B, S, D] must have rank 3, got shape [2, 4, 5, 7]; reshape it first",
      );
    });
  });
}

function windowTests(): void {
  it("equals dense attention with its mask, T ≠ S and both corners included", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      for (const [left, right, queryOffset] of [
        [1, 1, 0],
        [2, 0, 2],
        [0, 0, 1],
        [0, 3, -1],
        [Number.POSITIVE_INFINITY, 0, 0],
      ] as const) {
        const allow = windowMask(T, S, { left, right, queryOffset });
        const dense = softAttention(q, k, v, { allow, weights: true });
        const local = localWindowAttention(q, k, v, { left, right, queryOffset, weights: true });
        expect(roundings(local.output, dense.output.arraySync())).toBeLessThanOrEqual(8);
        expect(roundings(local.weights, dense.weights.arraySync())).toBeLessThanOrEqual(8);
      }
    });
  });

  it("has weights of exactly 0 outside, and queries without a key that give 0", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const { output, weights } = localWindowAttention(q, k, v, {
        left: 1,
        right: 0,
        queryOffset: 4,
        weights: true,
      });
      const seen = (t: number, s: number) => s <= t + 4 && s >= t + 3;
      weights.dataSync().forEach((w, e) => {
        expect(w > 0, `element ${e}`).toBe(seen(Math.floor(e / S) % T, e % S));
      });
      const rows = nested(output)[0]![0]!.map((row) => row.every((x) => x === 0));
      expect(rows).toEqual([false, false, true]);
    });
  });

  it("costs time in proportion to n·w: 8 times the length, 8 times the pairs", () => {
    const pairs = (n: number) => {
      const sizes = { B: 1, H: 2, T: n, S: n, D: 16 };
      return attentionCost(sizes, { window: { left: 16, right: 15 } }).pairs;
    };
    // 32 keys for each query but at the ends, where 16·17/2 before and 15·16/2 after are missing, for two heads.
    for (const n of [512, 4096]) expect(pairs(n)).toBe(2 * (32 * n - (16 * 17) / 2 - (15 * 16) / 2));
  });

  it("refuses windows that are negative, of half keys or not given, and T ≠ S without a corner", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const refuse = (left: number, right: number, message: string) =>
        expect(() => localWindowAttention(q, k, v, { left, right, queryOffset: 0 })).toThrow(message);
      const rule = "must be an integer ≥ 0, or Infinity, got";
      refuse(-1, 0, `localWindowAttention: window.left ${rule} -1; choose one in that range or leave it out`);
      refuse(0, 0.5, `window.right ${rule} 0.5`);
      expect(() => localWindowAttention(q, k, v, { left: 1 } as never)).toThrow(
        "localWindowAttention: left and right must be given, got left 1 and right undefined; Infinity leaves a side open",
      );
      expect(() => localWindowAttention(q, k, v, { left: 1, right: 1 })).toThrow(
        "localWindowAttention: a window must know where query 0 stands when T ≠ S, got T=3 and S=5",
      );
    });
  });
}

function capTests(): void {
  it("equals its formula in float64 loops, bias after the cap", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const bias = normal<tf.Tensor2D>(5, T, S);
      const b = nested<number[][]>(bias);
      const score = (e: number, _b: number, _h: number, t: number, s: number) =>
        1.5 * Math.tanh(e / 1.5) + b[t]![s]!;
      const expected = attentionOracle(nested(q), nested(k), nested(v), { score });
      const { output, weights } = softCapAttention(q, k, v, { softCap: 1.5, bias, weights: true });
      expect(roundings(weights, expected.weights)).toBeLessThanOrEqual(32);
      expect(roundings(output, expected.output)).toBeLessThanOrEqual(32);
    });
  });

  it("keeps the weights of a row within a factor of exp(2·softCap), whatever the scores", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const { weights } = softCapAttention(tf.mul(q, 1e3), k, v, { softCap: 1, weights: true });
      for (const row of nested(weights).flat(2)) {
        expect(Math.max(...row) / Math.min(...row)).toBeLessThanOrEqual(Math.E ** 2 * (1 + 1e-6));
      }
    });
  });

  it("is plain attention as the cap grows, and refuses caps that are none", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const plain = softAttention(q, k, v).output.arraySync();
      // cap·tanh(s/cap) = s − s³/3cap² + …: 20³/3e10 is under a rounding of the output.
      expect(roundings(softCapAttention(q, k, v, { softCap: 1e5 }).output, plain)).toBeLessThanOrEqual(32);
      expect(() => softCapAttention(q, k, v, { softCap: 0 })).toThrow(
        "softCapAttention: softCap must be a positive number, got 0; choose one in that range or leave it out",
      );
      expect(() => softCapAttention(q, k, v, {} as never)).toThrow(
        "softCapAttention: softCap must be given, got undefined; softAttention is the one without",
      );
    });
  });
}

function sinkTests(): void {
  const logits = [0.5, -1, 2, 0, 1, -0.5];

  it("equals its formula in float64 loops, and weights and sinkMass sum to 1", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const expected = attentionOracle(nested(q), nested(k), nested(v), { sink: (h) => logits[h]! });
      const asked = { weights: true, sinkMass: true, lse: true } as const;
      const result = sinkAttention(q, k, v, { sink: tf.tensor1d(logits) }, asked);
      expect(roundings(result.weights, expected.weights)).toBeLessThanOrEqual(32);
      expect(roundings(result.output, expected.output)).toBeLessThanOrEqual(32);
      const masses = expected.weights.map((all) =>
        all.map((rows) => rows.map((row) => 1 - row.reduce((sum, w) => sum + w, 0))),
      );
      expect(roundings(result.sinkMass, masses)).toBeLessThanOrEqual(32);
      expect(Object.keys(sinkAttention(q, k, v, { sink: 0 }, { sinkMass: true }))).toEqual([
        "output",
        "sinkMass",
      ]);
    });
  });

  it("0 is softmax-plus-one: a key and a value of zeros more (PyTorch's add_zero_attn)", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const zeros = (x: tf.Tensor4D) =>
        tf.concat([x, tf.zeros([x.shape[0], x.shape[1], 1, x.shape[3]])], 2) as tf.Tensor4D;
      const padded = softAttention(q, zeros(k), zeros(v)).output.arraySync();
      expect(roundings(sinkAttention(q, k, v, { sink: 0 }).output, padded)).toBeLessThanOrEqual(16);
    });
  });

  it("has a mass that is differentiable in sink, q and k, and is 1 where no key is seen", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const sink = tf.tensor1d(logits);
      const mass = (s: tf.Tensor, a: tf.Tensor, b: tf.Tensor) =>
        sinkAttention(a as tf.Tensor4D, b as tf.Tensor4D, v, { sink: s as tf.Tensor1D }, { sinkMass: true })
          .sinkMass;
      const gradients = tf.grads(mass)([sink, q, k]);
      // d mass/d sink = mass·(1 − mass), summed over a head.
      const expected = tf.sum(tf.mul(mass(sink, q, k), tf.sub(1, mass(sink, q, k))), [0, 2]);
      expect(roundings(gradients[0]!, expected.arraySync())).toBeLessThanOrEqual(64);
      const moved = (step: number) => tf.sum(mass(sink, tf.add(q, step), k)).dataSync()[0]!;
      const slope = (moved(0.01) - moved(-0.01)) / 0.02;
      expect(tf.sum(gradients[1]!).dataSync()[0]!).toBeCloseTo(slope, 2);
      const options = { sinkMass: true, keyLengths: [0, 5] };
      const empty = nested(sinkAttention(q, k, v, { sink }, options).sinkMass!)[0];
      expect((empty as unknown as number[][]).flat().every((m) => m === 1)).toBe(true);
    });
  });

  it("of −∞ is none: its mass is 0 where a key is seen and 1 where none is, gradients finite", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const sink = tf.fill([H], Number.NEGATIVE_INFINITY) as tf.Tensor1D;
      const mass = (a: tf.Tensor) =>
        sinkAttention(a as tf.Tensor4D, k, v, { sink }, { sinkMass: true, keyLengths: [0, 5] }).sinkMass;
      const { value, grad } = tf.valueAndGrad(mass)(q);
      const [empty, full] = tf.split(value, 2).map((part) => new Set(part.dataSync()));
      expect([empty, full]).toEqual([new Set([1]), new Set([0])]);
      expect(grad.dataSync().every((g) => g === 0)).toBe(true);
    });
  });

  it("refuses sinks that are not one number or one per head", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      expect(() => sinkAttention(q, k, v, { sink: tf.zeros([HKV]) })).toThrow(
        "sinkAttention: sink must be a number or an array [H] = [6], got shape [2]; give one logit per query head",
      );
      expect(() => sinkAttention(q, k, v, { sink: Number.NaN })).toThrow(
        "sinkAttention: sink must be a finite number",
      );
    });
  });
}

onEveryBackend("groupedQueryAttention", groupTests);
onEveryBackend("localWindowAttention", windowTests);
onEveryBackend("softCapAttention", capTests);
onEveryBackend("sinkAttention", sinkTests);

describe("localWindowAttention on the heed backend", () => {
  it("takes processor time in proportion to n at a fixed window", async () => {
    expect(await tf.setBackend("heed")).toBe(true);
    const [short, long, times] = [512, 8, 5];
    /** Microseconds of this process for calls over as many queries together, so that both sizes should take the same. */
    const measure = (n: number, calls: number) => {
      const x = normal(6, 1, 1, n, 16);
      return () => {
        const before = process.cpuUsage();
        for (let i = 0; i < calls; i++) {
          tf.tidy(() => localWindowAttention(x, x, x, { left: 16, right: 15 }).output.dataSync());
        }
        const { user, system } = process.cpuUsage(before);
        return user + system;
      };
    };
    const [one, other] = [measure(short, times * long), measure(short * long, times)];
    // Each pair is measured side by side, so that what else the machine does meets both; the middle one of nine counts.
    const ratios = Array.from({ length: 9 }, () => {
      const base = one();
      return other() / base;
    }).sort((x, y) => x - y);
    // 1 in proportion to n, 8 to n²; caches that the longer arrays do not fit may cost as much again.
    expect(ratios[4]).toBeLessThanOrEqual(2);
    expect(ratios[4]).toBeGreaterThan(1 / 4);
  });
});
