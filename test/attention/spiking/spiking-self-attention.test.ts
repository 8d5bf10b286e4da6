import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  leakyIntegrateAndFire,
  type SpikingSelfAttentionOptions,
  spikingAttention,
  spikingOperations,
  spikingSelfAttention,
} from "../../../src/attention/spiking/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { spikes } from "./spikes.ts";

const [N, B, T, C, H, HKV, D, DV, COUT] = [3, 2, 5, 7, 4, 2, 3, 11, 13];
const weight = <X extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<X>(random(seed, shape));
const parameters = () => ({
  wq: weight<tf.Tensor3D>(1, C, H, D),
  bq: weight<tf.Tensor2D>(2, H, D),
  wk: weight<tf.Tensor3D>(3, C, HKV, D),
  wv: weight<tf.Tensor3D>(4, C, HKV, DV),
  bv: weight<tf.Tensor2D>(5, HKV, DV),
  wo: weight<tf.Tensor3D>(6, H, DV, COUT),
  bo: weight<tf.Tensor1D>(7, COUT),
});
const sequence = () => spikes<tf.Tensor4D>(8, [N, B, T, C], 0.5);

onEveryBackend("spikingSelfAttention", () => {
  it.each([
    {},
    { causal: true, keyLengths: [4, 5], readThreshold: 0.25, scale: 0.5 },
    { window: { left: 1, right: 1 }, tau: 1.5, threshold: 0.75, surrogate: "arctan" },
  ] as const)("is neurons, spikingAttention at each step, neurons and a map, %j", (options) => {
    tf.tidy(() => {
      const { wq, bq, wk, wv, bv, wo, bo } = parameters();
      const x = sequence();
      const {
        scale = 0.125,
        readThreshold = 0.5,
        causal,
        keyLengths,
        window,
        ...neuron
      } = options as SpikingSelfAttentionOptions;
      const { output, weights } = spikingSelfAttention(x, parameters(), { ...options, weights: true });
      const fire = (current: tf.Tensor, own: object = neuron) => leakyIntegrateAndFire(current, own).spikes;
      const heads = (w: tf.Tensor3D, b?: tf.Tensor2D) => {
        const [, h, d] = w.shape;
        const rows = tf.matMul(tf.reshape(x, [N * B * T, C]), tf.reshape(w, [C, h * d]));
        const current = tf.reshape(b ? tf.add(rows, tf.reshape(b, [h * d])) : rows, [N, B, T, h, d]);
        return tf.unstack(tf.transpose(fire(current), [0, 1, 3, 2, 4]));
      };
      const [q, k, v] = [heads(wq, bq), heads(wk), heads(wv, bv)];
      const masks = {
        scale,
        ...(causal && { causal }),
        ...(keyLengths && { keyLengths }),
        ...(window && { window }),
      };
      const steps = Array.from({ length: N }, (_, n) =>
        spikingAttention(q[n] as tf.Tensor4D, k[n] as tf.Tensor4D, v[n] as tf.Tensor4D, {
          ...masks,
          weights: true,
        }),
      );
      expect(weights.dataSync()).toEqual(tf.stack(steps.map((step) => step.weights)).dataSync());
      const read = fire(tf.stack(steps.map((step) => step.output)), { ...neuron, threshold: readThreshold });
      const rows = tf.reshape(tf.transpose(read, [0, 1, 3, 2, 4]), [N * B * T, H * DV]);
      const expected = tf.add(tf.matMul(rows, tf.reshape(wo, [H * DV, COUT])), bo);
      expect(output.shape).toEqual([N, B, T, COUT]);
      // H·DV = 44 weights of size 3 at most, added up in another order.
      expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(44 * 3 * 4 * ROUNDING);
    });
  });

  it("projects to spikes, 0 or 1, and gives them where asked for", () => {
    tf.tidy(() => {
      const made = spikingSelfAttention(sequence(), parameters(), { spikes: true }).spikes;
      for (const projected of Object.values(made)) {
        const values = [...projected.dataSync()];
        expect(values.every((value) => value === 0 || value === 1)).toBe(true);
        expect(new Set(values).size).toBe(2);
      }
      const { accumulations, multiplyAccumulates } = spikingOperations(made.q, made.k, made.v);
      expect(multiplyAccumulates).toBe(N * B * H * T * T * (D + DV));
      expect(accumulations).toBeGreaterThan(0);
      expect(accumulations).toBeLessThan(multiplyAccumulates);
    });
  });

  it("permutes with its positions, and looks at no later step", () => {
    tf.tidy(() => {
      const x = sequence();
      const order = tf.tensor1d([3, 0, 4, 1, 2], "int32");
      const run = (given: tf.Tensor) => spikingSelfAttention(given as tf.Tensor4D, parameters()).output;
      const [a, b] = [tf.gather(run(x), order, 2), run(tf.gather(x, order, 2))];
      expect(distance(a.dataSync(), b.dataSync())).toBeLessThanOrEqual(44 * 3 * 4 * ROUNDING);
      const others = tf.concat([tf.slice(x, 0, [2, B, T, C]), tf.sub(1, tf.slice(x, [2, 0, 0, 0]))]);
      const first = (given: tf.Tensor) => tf.slice(run(given), 0, [2, B, T, COUT]).dataSync();
      expect(first(others)).toEqual(first(x));
    });
  });

  it("has a surrogate gradient for x and each parameter, and none from what is hidden", () => {
    tf.tidy(() => {
      const given = parameters();
      const names = Object.keys(given) as (keyof typeof given)[];
      const f = (x: tf.Tensor, ...values: tf.Tensor[]) => {
        const made = Object.fromEntries(names.map((name, n) => [name, values[n]])) as unknown as typeof given;
        return spikingSelfAttention(x as tf.Tensor4D, made, {
          scale: 1,
          keyLengths: [T, 2],
          queryLengths: [T, 2],
        }).output;
      };
      const [dx, ...gradients] = tf.grads(f)([sequence(), ...Object.values(given)]);
      for (const gradient of gradients) {
        const values = [...gradient.dataSync()];
        expect(values.every(Number.isFinite)).toBe(true);
        expect(values.some((value) => value !== 0)).toBe(true);
      }
      const hidden = tf.slice(dx as tf.Tensor4D, [0, 1, 2, 0], [N, 1, T - 2, C]).dataSync();
      expect(hidden.every((value) => value === 0)).toBe(true);
    });
  });

  it("takes a mask for each example and head, and leaves no tensor behind", () => {
    tf.tidy(() => {
      const [x, made] = [sequence(), parameters()];
      const allow = tf.cast(spikes(9, [B, H, T, T], 0.6), "bool");
      const before = tf.memory().numTensors;
      const { weights } = spikingSelfAttention(x, made, { allow, weights: true });
      expect(tf.memory().numTensors).toBe(before + 2);
      const seen = allow.dataSync();
      weights.dataSync().forEach((weight, e) => {
        if (!seen[e % (B * H * T * T)]) expect(weight).toBe(0);
      });
    });
  });

  const refused: [string, () => unknown, typeof OptionError | typeof ShapeError, string][] = [
    [
      "currents in the place of spikes",
      () => spikingSelfAttention(tf.fill([N, B, T, C], 0.5), parameters()),
      OptionError,
      "spikingSelfAttention: x must hold spikes, 0 or 1 everywhere, got 0.5 at element 0; pass currents through leakyIntegrateAndFire first",
    ],
    [
      "a sequence without time",
      () => spikingSelfAttention(spikes(8, [B, T, C]), parameters()),
      ShapeError,
      "spikingSelfAttention: x [N, B, T, C] must have rank 4, got shape [2, 5, 7]; reshape it first",
    ],
    [
      "no time steps",
      () => spikingSelfAttention(tf.zeros([0, B, T, C]), parameters()),
      ShapeError,
      "spikingSelfAttention: x [N, B, T, C] must have N ≥ 1 time steps, got shape [0, 2, 5, 7]; put time first",
    ],
    [
      "lengths of other examples",
      () => spikingSelfAttention(sequence(), parameters(), { keyLengths: [1, 2, 3] }),
      OptionError,
      "spikingSelfAttention: keyLengths must be B=2 integers from 0 to 5, got [1, 2, 3]; give one length per example",
    ],
    [
      "a threshold of reading at the reset",
      () => spikingSelfAttention(sequence(), parameters(), { readThreshold: 0 }),
      OptionError,
      "spikingSelfAttention: readThreshold must be a number above reset = 0, got 0; choose one in that range or leave it out",
    ],
  ];
  it.each(refused)("refuses %s", (_, attempted, error, message) => {
    const attempt = () => tf.tidy(() => void attempted());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
