import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { knnMemoryAttention } from "../../../src/attention/memory/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { attention } from "../../../src/ops/attention.ts";
import { gateCalls } from "../../../src/ops/observe.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, H, Hkv, T, M, D, Dv] = [2, 4, 2, 5, 11, 3, 7];
const CLOSE = 64 * ROUNDING;
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";

const given = <X extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<X>(random(seed, shape));
const inputs = () => ({
  q: given<tf.Tensor4D>(1, B, H, T, D),
  k: given<tf.Tensor4D>(2, B, Hkv, T, D),
  v: given<tf.Tensor4D>(3, B, Hkv, T, Dv),
  keys: given<tf.Tensor4D>(4, B, Hkv, M, D),
  values: given<tf.Tensor4D>(5, B, Hkv, M, Dv),
  gate: given<tf.Tensor1D>(6, H),
});

/** What each query reads of its nearest memories, by sorting all products, in float64. */
function nearest({ q, keys, values }: ReturnType<typeof inputs>, neighbours: number) {
  const [qq, kk, vv] = [q, keys, values].map((x) => x.dataSync());
  const out: number[] = [];
  const chosen: boolean[] = [];
  for (let row = 0; row < B * H * T; row++) {
    const [b, h] = [Math.floor(row / (H * T)), Math.floor(row / T) % H];
    const source = b * Hkv + Math.floor((h * Hkv) / H);
    const scores = Array.from({ length: M }, (_, s) => {
      let sum = 0;
      for (let d = 0; d < D; d++) sum += qq![row * D + d]! * kk![(source * M + s) * D + d]!;
      return sum / Math.sqrt(D);
    });
    const least = scores.toSorted((a, b) => b - a)[neighbours - 1]!;
    const weights = scores.map((score) => (score >= least ? Math.exp(score) : 0));
    const total = weights.reduce((a, w) => a + w);
    chosen.push(...weights.map((w) => w > 0));
    for (let d = 0; d < Dv; d++)
      out.push(weights.reduce((sum, w, s) => sum + (w / total) * vv![(source * M + s) * Dv + d]!, 0));
  }
  return { out, chosen };
}

onEveryBackend("knnMemoryAttention", () => {
  it("blends the nearest of the memory with the context, by the gate of each head", () => {
    tf.tidy(() => {
      const { q, k, v, keys, values, gate } = inputs();
      const options = { neighbours: 3, causal: true, weights: true } as const;
      const { output, weights } = knnMemoryAttention(q, k, v, { keys, values }, { gate }, options);
      const { out, chosen } = nearest(inputs(), 3);
      const context = attention(q, k, v, { causal: true }).output.dataSync();
      const open = gate.dataSync().map((b) => 1 / (1 + Math.exp(-b)));
      const expected = out.map((read, n) => {
        const g = open[Math.floor(n / (T * Dv)) % H]!;
        return g * read + (1 - g) * context[n]!;
      });
      expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(16 * CLOSE);
      expect([...weights.dataSync()].map((w) => w > 0)).toEqual(chosen);
      expect(distance(tf.sum(weights, -1).dataSync(), new Array(B * H * T).fill(1))).toBeLessThanOrEqual(
        CLOSE,
      );
    });
  });

  it("worked by hand: the nearer of two memories, half and half with the only token", () => {
    tf.tidy(() => {
      const one = (...values: number[]) => tf.tensor4d(values, [1, 1, values.length / 2, 2]);
      const memory = { keys: one(0, 9, 5, 0), values: one(1, 2, 30, 40) };
      const x = one(1, 0);
      const options = { neighbours: 1, scale: 1 };
      const { output } = knnMemoryAttention(x, x, one(10, 0), memory, { gate: tf.zeros([1]) }, options);
      expect([...output.dataSync()]).toEqual([20, 20]);
    });
  });

  it("has gradients of queries, context and gate that agree with differences, and none of the memory", () => {
    tf.tidy(() => {
      const small = (seed: number, ...shape: number[]) => tf.mul(given(seed, ...shape), 0.3);
      const far = {
        keys: small(4, 1, 1, 5, D) as tf.Tensor4D,
        values: given<tf.Tensor4D>(5, 1, 1, 5, 2),
      };
      const x = {
        q: small(1, 1, 2, 3, D),
        k: small(2, 1, 1, 3, D),
        v: small(3, 1, 1, 3, 2),
        gate: given(6, 2),
      };
      // All memories, so that no choice changes on the way; which are chosen has no gradient.
      const f = ({ q, k, v, gate }: Record<string, tf.Tensor>) =>
        knnMemoryAttention(
          q as never,
          k as never,
          v as never,
          far,
          { gate: gate as never },
          { neighbours: 5 },
        ).output;
      expect(() => gradcheckTensors(f, x)).not.toThrow();
      const { keys, values, ...rest } = inputs();
      const g = (keys: tf.Tensor, values: tf.Tensor) => {
        const memory = { keys: keys as tf.Tensor4D, values: values as tf.Tensor4D };
        const { output } = knnMemoryAttention(rest.q, rest.k, rest.v, memory, rest, { neighbours: 3 });
        return tf.addN([tf.sum(output), tf.mul(0, tf.sum(keys)), tf.mul(0, tf.sum(values))]);
      };
      for (const gradient of tf.grads(g)([keys, values]))
        expect([...gradient.dataSync()].every((d) => d === 0)).toBe(true);
    });
  });

  it("reads the context alone, times 1 − g, while there is no memory, and all of one that is short", () => {
    tf.tidy(() => {
      const { q, k, v, keys, values, gate } = inputs();
      const context = attention(q, k, v, {}).output;
      const rest = tf.mul(tf.sub(1, tf.sigmoid(tf.reshape(gate, [1, H, 1, 1]))), context).dataSync();
      const { output } = knnMemoryAttention(q, k, v, undefined, { gate }, { neighbours: 3 });
      expect(distance(output.dataSync(), rest)).toBeLessThanOrEqual(CLOSE);
      const options = { neighbours: 99, weights: true } as const;
      const { weights } = knnMemoryAttention(q, k, v, { keys, values }, { gate }, options);
      expect([...weights.dataSync()].every((w) => w > 0)).toBe(true);
    });
  });

  it("tells a capture its gates, and leaves no tensor behind", () => {
    const { q, k, v, keys, values, gate } = inputs();
    const before = tf.memory().numTensors;
    const seen: unknown[] = [];
    const { output } = gateCalls.during(
      ({ op, name, gate, hasBatch }) => void seen.push([op, name, gate.shape, hasBatch]),
      () => knnMemoryAttention(q, k, v, { keys, values }, { gate }, { neighbours: 2 }),
    );
    expect(seen).toEqual([["knnMemoryAttention", "gate", [H], false]]);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose([output, q, k, v, keys, values, gate]);
  });

  it("refuses a memory of another width, gates of other heads, and no neighbours", () => {
    tf.tidy(() => {
      const { q, k, v, keys, values, gate } = inputs();
      const refused: [typeof ShapeError | typeof OptionError, () => unknown, string][] = [
        [
          ShapeError,
          () =>
            knnMemoryAttention(
              q,
              k,
              v,
              { keys: tf.ones([B, Hkv, M, 4]), values },
              { gate },
              { neighbours: 2 },
            ),
          `knnMemoryAttention: memory.keys must be float32 of shape [B, Hkv, M, D] = [2, 2, 11, 3], got float32 of shape [2, 2, 11, 4]; ${LETTERS}`,
        ],
        [
          ShapeError,
          () => knnMemoryAttention(q, k, v, { keys, values }, { gate: tf.ones([3]) }, { neighbours: 2 }),
          `knnMemoryAttention: gate must be float32 of shape [H] = [4], got float32 of shape [3]; ${LETTERS}`,
        ],
        [
          OptionError,
          () => knnMemoryAttention(q, k, v, { keys, values }, { gate }, { neighbours: 0 }),
          "knnMemoryAttention: neighbours must be an integer ≥ 1, got 0; choose one in that range or leave it out",
        ],
      ];
      for (const [type, call, message] of refused) {
        expect(call).toThrow(type);
        expect(call).toThrow(expect.objectContaining({ message }));
      }
    });
  });
});
