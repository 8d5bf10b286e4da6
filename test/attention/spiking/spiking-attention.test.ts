import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type SpikingAttentionOptions, spikingAttention } from "../../../src/attention/spiking/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import { spikes } from "./spikes.ts";

const [B, H, HKV, T, S, D, DV] = [2, 6, 3, 5, 7, 11, 13];
const inputs = () => ({
  q: spikes<tf.Tensor4D>(1, [B, H, T, D]),
  k: spikes<tf.Tensor4D>(2, [B, HKV, S, D]),
  v: spikes<tf.Tensor4D>(3, [B, HKV, S, DV]),
});

/** By its sums, in whole numbers. */
function loops(see: (b: number, t: number, s: number) => boolean, scale: number) {
  const { q, k, v } = inputs();
  const [a, b, c] = [q.arraySync(), k.arraySync(), v.arraySync()];
  const weights: number[] = [];
  const output: number[] = [];
  for (let n = 0; n < B; n++)
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        const g = Math.floor((h * HKV) / H);
        const row = Array.from({ length: S }, (_, s) =>
          see(n, t, s) ? scale * a[n]![h]![t]!.reduce((sum, x, d) => sum + x * b[n]![g]![s]![d]!, 0) : 0,
        );
        weights.push(...row);
        for (let d = 0; d < DV; d++) output.push(row.reduce((sum, w, s) => sum + w * c[n]![g]![s]![d]!, 0));
      }
  return { weights, output };
}

const MASKS: [string, SpikingAttentionOptions, (b: number, t: number, s: number) => boolean][] = [
  ["nothing", {}, () => true],
  ["a band at an offset", { causal: true, queryOffset: 2 }, (_, t, s) => s <= t + 2],
  [
    "a window that includes its own position",
    { queryOffset: 0, window: { left: 1, right: 0 } },
    (_, t, s) => s === t || s === t - 1,
  ],
  ["lengths, one example without keys", { keyLengths: [0, 4] }, (b, _, s) => s < [0, 4][b]!],
];

onEveryBackend("spikingAttention", () => {
  it.each(MASKS)("is the sums of its definition bit for bit, hiding %s", (_, mask, see) => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const expected = loops(see, 0.125);
      const { output, weights } = spikingAttention(q, k, v, { ...mask, weights: true });
      expect(output.shape).toEqual([B, H, T, DV]);
      expect([...output.dataSync()]).toEqual(expected.output);
      expect([...weights.dataSync()]).toEqual(expected.weights);
      expect([...spikingAttention(q, k, v, mask).output.dataSync()]).toEqual(expected.output);
    });
  });

  it("gives the same bits in the order Q(KᵀV), which it takes where that is cheaper", async () => {
    const [long, narrow] = [31, 3];
    const [q, k, v] = [4, 5, 6].map((seed) => spikes<tf.Tensor4D>(seed, [2, 2, long, narrow]));
    const run = (weights: boolean) => spikingAttention(q!, k!, v!, { weights }).output;
    expect(run(false).dataSync()).toEqual(run(true).dataSync());
    const { kernels } = await tf.profile(() => run(false));
    expect(
      kernels.every(({ outputShapes }) => outputShapes.every((shape) => !shape || shape.at(-1) !== long)),
    ).toBe(true);
  });

  it("is worked by hand", () => {
    const q = tf.tensor4d([1, 1, 0], [1, 1, 1, 3]);
    const k = tf.tensor4d([1, 1, 1, 0, 1, 0], [1, 1, 2, 3]);
    const v = tf.tensor4d([1, 0, 1, 1], [1, 1, 2, 2]);
    // The query shares 2 spikes with the first key and 1 with the second: 2·(1, 0) + 1·(1, 1).
    const { output, weights } = spikingAttention(q, k, v, { scale: 1, weights: true });
    expect([...weights.dataSync()]).toEqual([2, 1]);
    expect([...output.dataSync()]).toEqual([3, 1]);
  });

  it("has gradients in q, k and v that agree with differences of its product", () => {
    const see = { allow: tf.notEqual(tf.range(0, 5), 1) as tf.Tensor };
    const product = (x: Record<string, tf.Tensor>) =>
      tf.matMul(
        tf.mul(tf.matMul(x.q!, x.k!, false, true), tf.mul(tf.cast(see.allow, "float32"), 0.125)),
        x.v!,
      );
    const x = {
      q: spikes<tf.Tensor4D>(7, [1, 2, 3, 2]),
      k: spikes<tf.Tensor4D>(8, [1, 2, 5, 2]),
      v: spikes<tf.Tensor4D>(9, [1, 2, 5, 3]),
    };
    expect(() => gradcheckTensors(product, x, 64)).not.toThrow();
    const mechanism = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      spikingAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
        allow: tf.reshape(see.allow, [1, 5]),
      }).output;
    const plain = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => product({ q, k, v });
    const [own, other] = [mechanism, plain].map((f) => tf.grads(f)([x.q, x.k, x.v]));
    own!.forEach((gradient, n) => {
      // Whole numbers times an eighth: exact.
      expect(gradient.dataSync()).toEqual(other![n]!.dataSync());
      expect(gradient.dataSync().some((value) => value !== 0)).toBe(true);
    });
  });

  it("has an answer without queries and without keys, takes bool spikes, and leaves no tensor behind", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      expect(spikingAttention(tf.slice(q, [0, 0, 0, 0], [B, H, 0, D]), k, v).output.shape).toEqual([
        B,
        H,
        0,
        DV,
      ]);
      const none = spikingAttention(q, tf.zeros([B, HKV, 0, D]), tf.zeros([B, HKV, 0, DV]), {
        weights: true,
      });
      expect(none.weights.shape).toEqual([B, H, T, 0]);
      expect(none.output.dataSync().every((value) => value === 0)).toBe(true);
      const [boolean] = [q].map((x) => tf.cast(x, "bool"));
      const before = tf.memory().numTensors;
      const { output } = spikingAttention(boolean as tf.Tensor4D, k, v);
      expect(tf.memory().numTensors).toBe(before + 1);
      expect(output.dataSync()).toEqual(spikingAttention(q, k, v).output.dataSync());
    });
  });

  const refused: [
    string,
    (x: ReturnType<typeof inputs>) => unknown,
    typeof OptionError | typeof ShapeError,
    string,
  ][] = [
    [
      "queries that are no spikes",
      ({ q, k, v }) => spikingAttention(tf.mul(q, 2), k, v),
      OptionError,
      "spikingAttention: q must hold spikes, 0 or 1 everywhere, got 2 at element 0; pass currents through leakyIntegrateAndFire first",
    ],
    [
      "NaN among the values, in hidden places too",
      ({ q, k, v }) => {
        const padded = tf.concat(
          [tf.slice(v, 0, [B, HKV, S - 1, DV]), tf.fill([B, HKV, 1, DV], Number.NaN)],
          2,
        );
        return spikingAttention(q, k, padded as tf.Tensor4D, { keyLengths: [S - 1, S - 1] });
      },
      OptionError,
      "spikingAttention: v must hold spikes, 0 or 1 everywhere, got NaN at element 78; pass currents through leakyIntegrateAndFire first",
    ],
    [
      "keys of another width",
      ({ q, v }) => spikingAttention(q, spikes(2, [B, HKV, S, 5]), v),
      ShapeError,
      "spikingAttention: q [B, H, T, D] and k [B, Hkv, S, D] must have the same D, got shapes [2, 6, 5, 11] and [2, 3, 7, 5]; make their D equal",
    ],
    [
      "a scale that is no number",
      ({ q, k, v }) => spikingAttention(q, k, v, { scale: Infinity }),
      OptionError,
      "spikingAttention: scale must be a finite number, got Infinity; choose one in that range or leave it out",
    ],
    [
      "T ≠ S without a corner",
      ({ q, k, v }) => spikingAttention(q, k, v, { causal: true }),
      OptionError,
      'spikingAttention: causal: true must have T = S, got T=5 and S=7; say which corner is aligned with causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query',
    ],
  ];
  it.each(refused)("refuses %s", (_, attempted, error, message) => {
    const attempt = () => tf.tidy(() => void attempted(inputs()));
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
