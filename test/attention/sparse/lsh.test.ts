import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { type LshAttentionOptions, lshAttention } from "../../../src/attention/sparse/index.ts";
import { bucketsOf, rotations } from "../../../src/attention/sparse/lsh-plan.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import {
  drawn,
  example,
  expectClose,
  expectSame,
  type Inputs,
  refusal,
  SIZES,
  spoil,
  withGradients,
} from "../linear/linear-support.ts";
import { onEveryBackend } from "../support.ts";

const call =
  (options: LshAttentionOptions = {}) =>
  ({ qk, v }: Inputs) =>
    lshAttention(qk as tf.Tensor4D, v as tf.Tensor4D, options).output;

/** Shared-QK attention over the pairs of `sees`, by TensorFlow.js' operations; who sees no one sees itself. */
const dense =
  (sees: (x: number, i: number, j: number) => boolean) =>
  ({ qk, v }: Inputs) => {
    const [B, H, T, D] = qk!.shape as [number, number, number, number];
    const keys = tf.div(qk!, tf.norm(qk!, 2, 3, true));
    const scores = tf.mul(tf.matMul(qk!, keys, false, true), 1 / Math.sqrt(D));
    const hidden = new Float32Array(B * H * T * T).fill(Number.NEGATIVE_INFINITY);
    for (let row = 0; row < B * H * T; row++) {
      const [x, i] = [Math.floor(row / T), row % T];
      for (let j = 0; j < T; j++) if (j !== i && sees(x, i, j)) hidden[row * T + j] = 0;
      if (hidden.subarray(row * T, row * T + T).every((value) => value !== 0)) hidden[row * T + i] = 0;
    }
    return tf.matMul(tf.softmax(tf.add(scores, tf.tensor(hidden, [B, H, T, T]))), v!);
  };

const inputs = (
  seed: number,
  { B, H, T, D, Dv }: { B: number; H: number; T: number; D: number; Dv: number },
) => ({
  qk: drawn(seed, [B, H, T, D]),
  v: drawn(seed + 1, [B, H, T, Dv]),
});

onEveryBackend("LSH attention", () => {
  it.each([false, true])(
    "with one bucket is exact attention of shared queries and keys, causal: %s",
    (causal) => {
      const x = inputs(1, { B: 2, H: 3, T: 11, D: 5, Dv: 7 });
      const exact = dense((_, i, j) => !causal || j < i);
      for (const rounds of [1, 3]) expectSame(exact, call({ buckets: 1, rounds, causal }), x);
    },
  );

  it.each([false, true])(
    "reads the union of its buckets in all rounds, each key once, causal: %s",
    (causal) => {
      const [B, H, T, D] = [2, 2, 17, 5];
      const x = inputs(4, { B, H, T, D, Dv: 3 });
      const sizes = { X: B * H, T, D, rounds: 3, factors: [2, 2], L: T };
      const directions = tf.tensor2d(rotations(sizes, 9), [D, 6]);
      const buckets = bucketsOf(tf.matMul(tf.reshape(x.qk, [-1, D]), directions).dataSync(), sizes);
      expect(new Set(buckets)).toEqual(new Set([0, 1, 2, 3]));
      const same = (n: number, i: number, j: number) =>
        [0, 1, 2].some((r) => buckets[(n * 3 + r) * T + i] === buckets[(n * 3 + r) * T + j]);
      const expected = dense((n, i, j) => same(n, i, j) && (!causal || j < i));
      // One chunk holds all positions, so that every bucket is whole.
      expectSame(expected, call({ buckets: [2, 2], rounds: 3, chunkSize: T, causal, seed: 9 }), x);
    },
  );

  it("reads its own chunk and the one before, of each bucket's order", () => {
    const [T, D, L] = [13, 5, 3];
    const x = inputs(7, { B: 1, H: 1, T, D, Dv: 3 });
    const sizes = { X: 1, T, D, rounds: 2, factors: [4], L };
    const directions = tf.tensor2d(rotations(sizes, 2), [D, 4]);
    const buckets = bucketsOf(tf.matMul(tf.reshape(x.qk, [-1, D]), directions).dataSync(), sizes);
    const places = [0, 1].map((r) => {
      const order = Array.from({ length: T }, (_, t) => t).sort(
        (a, b) => buckets[r * T + a]! - buckets[r * T + b]! || a - b,
      );
      return order.map((_, t) => Math.floor(order.indexOf(t) / L));
    });
    const expected = dense((_, i, j) =>
      [0, 1].some((r) => {
        const back = places[r]![i]! - places[r]![j]!;
        return buckets[r * T + i] === buckets[r * T + j] && (back === 0 || back === 1);
      }),
    );
    expectSame(expected, call({ buckets: 4, rounds: 2, chunkSize: L, seed: 2 }), x);
  });

  it.each(SIZES)("has the gradients of central differences at $B $H $T $D $Dv", (sizes) => {
    gradcheckTensors(call({ buckets: 1, rounds: 2, causal: true, chunkSize: sizes.T }), inputs(10, sizes));
  });

  it("sees itself only where it sees no other, as the first position of a causal sequence does", () => {
    tf.tidy(() => {
      const x = inputs(13, { B: 1, H: 2, T: 7, D: 5, Dv: 3 });
      const output = call({ buckets: 2, causal: true, seed: 1 })(x);
      const first = (t: tf.Tensor) => tf.slice(t, [0, 0, 0, 0], [1, 2, 1, 3]);
      expectClose(first(x.v), first(output), 1e-6);
    });
  });

  it("gives a padded example what it gives alone, and NaN in padding reaches nothing", () => {
    const x = inputs(16, { B: 3, H: 2, T: 9, D: 5, Dv: 3 });
    const lengths = [9, 5, 0];
    const f = call({ buckets: 2, rounds: 2, chunkSize: 9, lengths, causal: true, seed: 3 });
    const padded = f(x);
    const alone = call({ buckets: 2, rounds: 2, chunkSize: 9, causal: true, seed: 3 })({
      qk: example(x.qk, 1, 5),
      v: example(x.v, 1, 5),
    });
    expectClose(alone, example(padded, 1, 5), 1e-6);
    expect(
      example(padded, 2)
        .dataSync()
        .every((value) => value === 0),
    ).toBe(true);
    const hidden = (b: number, t: number) => t >= lengths[b]!;
    const dirty = { qk: spoil(x.qk, hidden), v: spoil(x.v, hidden) };
    expect(withGradients(f, dirty)).toEqual(withGradients(f, x));
  });

  it("is the same for a seed and leaves no tensor behind", () => {
    const { qk, v } = inputs(19, { B: 1, H: 2, T: 23, D: 5, Dv: 3 });
    const before = tf.memory().numTensors;
    const [a, b, c] = [1, 1, 2].map((seed) => lshAttention(qk, v, { buckets: 4, rounds: 1, seed }).output);
    expect(tf.memory().numTensors).toBe(before + 3);
    expect(a!.dataSync()).toEqual(b!.dataSync());
    expect(a!.dataSync()).not.toEqual(c!.dataSync());
    tf.dispose([a!, b!, c!]);
  });

  it("refuses odd buckets, no rounds, chunks of nothing and values of another length", () => {
    const { qk, v } = inputs(22, { B: 1, H: 2, T: 5, D: 3, Dv: 2 });
    expect(refusal(() => lshAttention(qk, v, { buckets: 3 }))).toBe(
      "lshAttention: buckets must be 1 or even, for each direction stands for two, got [3]; double the odd ones",
    );
    for (const buckets of [0, -2, 2.5, [4, 3], []]) {
      expect(refusal(() => lshAttention(qk, v, { buckets }))).toMatch(/buckets must be 1 or even/);
    }
    expect(refusal(() => lshAttention(qk, v, { rounds: 0 }))).toBe(
      "lshAttention: rounds must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    );
    expect(refusal(() => lshAttention(qk, v, { chunkSize: 0 }))).toMatch(
      /chunkSize must be an integer ≥ 1, got 0/,
    );
    expect(refusal(() => lshAttention(qk, drawn(1, [1, 2, 4, 2])))).toMatch(/must have the same T/);
    expect(refusal(() => lshAttention(qk, drawn(1, [1, 3, 5, 2])))).toMatch(/must have the same Hkv/);
    expect(refusal(() => lshAttention(tf.zeros([1, 2, 0, 3]), tf.zeros([1, 2, 0, 2])))).toMatch(
      /T ≥ 1 queries/,
    );
    expect(refusal(() => lshAttention(qk, v, { lengths: [6] }))).toMatch(
      /: lengths must be B=1 integers from 0 to 5, got \[6\]/,
    );
  });
});

describe("LSH attention on TensorFlow.js' own wasm backend", () => {
  it("gives the values and gradients of the plain one", async () => {
    const x = inputs(25, { B: 2, H: 2, T: 19, D: 4, Dv: 3 });
    const values = Object.entries(x).map(([name, one]) => [name, one.dataSync(), one.shape] as const);
    const f = call({ buckets: 4, rounds: 3, chunkSize: 5, lengths: [19, 7] });
    const results: ReturnType<typeof withGradients>[] = [];
    for (const backend of ["cpu", "wasm"]) {
      expect(await tf.setBackend(backend)).toBe(true);
      results.push(
        withGradients(
          f,
          Object.fromEntries(values.map(([name, data, shape]) => [name, tf.tensor(data, shape)])),
        ),
      );
    }
    const [plain, wasm] = results;
    expectClose(plain!.output, wasm!.output, 1e-6);
    for (const name of ["qk", "v"]) expectClose(plain!.gradients[name]!, wasm!.gradients[name]!, 1e-6, name);
  });
});
