import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { type TopKOptions, topKAttention } from "../../../src/attention/sparse/index.ts";
import { LargestKeeper } from "../../../src/attention/sparse/keep-largest.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend } from "../support.ts";
import { inputs, make, type Qkv } from "./inputs.ts";

/** The formula, in plain loops of float64: values, and which keys were kept. */
function byLoops({ q, k, v }: Qkv, keep: number, visible: (b: number, i: number, j: number) => boolean) {
  const [B, H, T, D] = q.shape;
  const [, Hkv, S, Dv] = v.shape;
  const [Q, K, V] = [q, k, v].map((x) => x.dataSync()) as [Float32Array, Float32Array, Float32Array];
  const output = new Float64Array(B * H * T * Dv);
  for (let row = 0; row < B * H * T; row++) {
    const [b, h, i] = [Math.floor(row / (H * T)), Math.floor(row / T) % H, row % T];
    const group = b * Hkv + Math.floor((h * Hkv) / H);
    const scores = Array.from({ length: S }, (_, j) => {
      let sum = 0;
      for (let d = 0; d < D; d++) sum += Q[row * D + d]! * K[(group * S + j) * D + d]!;
      return { j, score: sum / Math.sqrt(D) };
    });
    const kept = scores
      .filter(({ j }) => visible(b, i, j))
      .sort((a, b) => b.score - a.score || a.j - b.j)
      .slice(0, keep);
    const total = kept.reduce((sum, { score }) => sum + Math.exp(score), 0);
    for (const { j, score } of kept) {
      const weight = Math.exp(score) / total;
      for (let d = 0; d < Dv; d++) output[row * Dv + d]! += weight * V[(group * S + j) * Dv + d]!;
    }
  }
  return output;
}

onEveryBackend("topKAttention", () => {
  it.each([
    [[2, 3, 3, 5, 7, 3, 5], 2, {}],
    [[1, 4, 2, 7, 11, 5, 3], 3, { causal: "bottomRight" }],
    [[2, 2, 1, 11, 5, 2, 3], 1, { keyLengths: [5, 0] }],
    [[1, 2, 2, 7, 7, 3, 3], 4, { window: { left: 2, right: 1 } }],
  ] as [number[], number, Omit<TopKOptions, "k">][])(
    "keeps each query's best keys, as loops in float64 do, at once and in chunks: %j, k = %i, %j",
    (sizes, k, options) => {
      tf.tidy(() => {
        const x = inputs(sizes);
        const [, , , T, S] = sizes as [number, number, number, number, number];
        const { keyLengths, window, causal } = options;
        const visible = (b: number, i: number, j: number) => {
          if (keyLengths && j >= keyLengths[b]!) return false;
          if (causal) return j <= i + S - T;
          return !window || (j >= i - window.left! && j <= i + window.right!);
        };
        const expected = byLoops(x, k, visible);
        for (const held of [1, 2 * S * sizes[0]! * sizes[1]!, 2 ** 22]) {
          const { output } = topKAttention(x.q, x.k, x.v, { k, ...options, held });
          expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(2e-6);
        }
      });
    },
  );

  it("gives in chunks the gradients and lse of all queries at once", () => {
    tf.tidy(() => {
      const x = inputs([2, 4, 2, 11, 7, 3, 5]);
      const f = (held: number) => (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => {
        const { output, lse } = topKAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
          k: 3,
          held,
          lse: true,
          keyLengths: [7, 2],
        });
        return tf.add(tf.mean(tf.square(output)), tf.mean(tf.sin(lse)));
      };
      const [once, chunks] = [2 ** 22, 3 * 7 * 8].map((held) => tf.valueAndGrads(f(held))([x.q, x.k, x.v]));
      expect(distance(chunks!.value.dataSync(), once!.value.dataSync())).toBeLessThanOrEqual(1e-6);
      chunks!.grads.forEach((gradient, n) => {
        expect(distance(gradient.dataSync(), once!.grads[n]!.dataSync())).toBeLessThanOrEqual(1e-6);
      });
    });
  });

  it("is softmax attention where every key is kept", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs([2, 2, 2, 5, 7, 3, 5]);
      const { output, weights } = topKAttention(q, k, v, { k: 7, weights: true });
      const all = softAttention(q, k, v, { weights: true });
      expect(output.dataSync()).toEqual(all.output.dataSync());
      expect(weights.dataSync()).toEqual(all.weights.dataSync());
    });
  });

  it("has k weights above 0 in a row, even where scores are equal", () => {
    tf.tidy(() => {
      const q = tf.ones<tf.Rank.R4>([1, 1, 3, 2]);
      const { weights } = topKAttention(q, tf.ones([1, 1, 5, 2]), make(1, 1, 1, 5, 3), {
        k: 2,
        weights: true,
      });
      expect(weights.arraySync()).toEqual([[new Array(3).fill([0.5, 0.5, 0, 0, 0])]]);
    });
  });

  it("passes gradcheck through what is kept", () => {
    // Scores well apart, so that no step changes the choice.
    const q = tf.tensor4d([1, 0.5, -1, 0.25, 0.5, 1], [1, 1, 3, 2]);
    const k = tf.tensor4d([2, 0, 0, 2, -2, 1, 1, -2.5, 0.5, 0.25], [1, 1, 5, 2]);
    const x = { q, k, v: make(3, 1, 1, 5, 3) };
    for (const held of [1, 2 ** 22]) {
      gradcheckTensors(
        ({ q, k, v }) =>
          topKAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { k: 2, held }).output,
        x,
        64,
      );
    }
  });

  it("leaves no tensor behind, in chunks and with gradients", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs([1, 2, 2, 7, 7, 3, 5]);
      const before = tf.memory().numTensors;
      topKAttention(q, k, v, { k: 2, held: 1 });
      tf.grads((q) => topKAttention(q as tf.Tensor4D, k, v, { k: 2, held: 1 }).output)([q]);
      expect(tf.memory().numTensors).toBe(before + 2);
    });
  });

  it("says what is wrong", () => {
    const { q, k, v } = inputs([1, 2, 2, 5, 7, 3, 5]);
    const refused = (options: TopKOptions, message: string) =>
      expect(() => topKAttention(q, k, v, options)).toThrow(expect.objectContaining({ message }));
    refused(
      { k: 8 },
      "topKAttention: k must be from 1 to S = 7, got 8; choose one in that range or leave it out",
    );
    refused(
      { k: 0 },
      "topKAttention: k must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    );
    refused(
      { k: 1, held: 0.5 },
      "topKAttention: held must be an integer ≥ 1, got 0.5; choose one in that range or leave it out",
    );
    refused(
      { k: 1, scale: -1 },
      "topKAttention: scale must be 0 or more, got -1; choose one in that range or leave it out",
    );
  });
});

it("the largest are chosen as by sorting, ties by their order, NaN first", () => {
  const random = new RandomStream(4);
  for (let run = 0; run < 300; run++) {
    const n = 1 + random.integer(run % 3 === 0 ? 400 : 40);
    const keep = 1 + random.integer(n);
    const scores = Float32Array.from({ length: n + 2 }, () => random.integer(run % 2 === 0 ? 5 : 1000) - 2);
    const out = new Uint8Array(n + 2);
    new LargestKeeper(keep).mark(scores, 1, n + 1, out);
    const order = Array.from({ length: n }, (_, j) => j + 1).sort((a, b) => scores[b]! - scores[a]! || a - b);
    const expected = new Uint8Array(n + 2);
    for (const j of order.slice(0, keep)) expected[j] = 1;
    expect(out).toEqual(expected);
  }
  const out = new Uint8Array(4);
  new LargestKeeper(2).mark(Float32Array.of(1, Number.NaN, 3, 2), 0, 4, out);
  expect([...out]).toEqual([0, 1, 1, 0]);
});
