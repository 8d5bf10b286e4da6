import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { adversarialWeights, permuteWeights } from "../../src/intervene/index.ts";
import { attention } from "../../src/ops/index.ts";
import { onEveryBackend } from "../attention/support.ts";
import { random } from "./support.ts";

const [B, H, T, S, D] = [2, 2, 3, 5, 4];

onEveryBackend("tests of weights", () => {
  const make = (seed: number) => {
    const [q, k, v] = [random([B, H, T, D], seed), random([B, H, S, D], 2), random([B, H, S, D], 3)];
    const blind = tf.tile(tf.slice(v, [0, 0, 0, 0], [B, H, 1, D]), [1, 1, S, 1]) as tf.Tensor4D;
    const options = { causal: "bottomRight", weights: true } as const;
    return {
      /** Its output needs the weights. */
      needs: () => tf.softmax(tf.mul(3, attention(q, k, v, options).output)),
      /** All values are the same. */
      ignores: () => tf.softmax(attention(q, k, blind, options).output),
      weights: () => attention(q, k, v, options).weights,
    };
  };

  it("permuted weights move an answer that needs them, and no other", () => {
    const { needs, ignores, weights } = make(1);
    const before = tf.memory().numTensors;
    const some = permuteWeights(needs, { layer: 0, permutations: 9, seed: 4 });
    expect(tf.memory().numTensors).toBe(before);
    expect(some.distances.length).toBe(9);
    expect(some.median).toBe(some.distances.toSorted()[4]);
    expect(some.median).toBeGreaterThan(0.05);
    expect(Math.max(...some.distances)).toBeLessThanOrEqual(1);
    expect(permuteWeights(needs, { layer: 0, permutations: 9, seed: 4 }).distances).toEqual(some.distances);
    expect(permuteWeights(ignores, { layer: 0, permutations: 9 }).median).toBeLessThan(1e-6);
    // The only order of one weight is itself: of the others nothing moves where one head of one query is named.
    const one = permuteWeights(needs, { layer: 0, heads: 1, queries: 0, examples: 0, permutations: 3 });
    expect(Math.max(...one.distances)).toBeLessThan(Math.min(...some.distances));
    expect(weights().shape).toEqual([B, H, T, S]);
  });

  it("adversarial weights are far where the answer ignores them, near where it needs them, and keep the answer", () => {
    const { needs, ignores, weights } = make(1);
    const clean = weights().dataSync();
    const place = { layer: 0, steps: 40, learningRate: 0.3, heads: 0, queries: [0, 2] };
    const before = tf.memory().numTensors;
    const [far, near] = [adversarialWeights(ignores, place), adversarialWeights(needs, place)];
    expect(tf.memory().numTensors).toBe(before + 0);
    for (const { weights, divergence, distance } of [far, near]) {
      expect(distance).toBeLessThanOrEqual(0.01);
      let [sum, rows] = [0, 0];
      for (let row = 0; row < B * H * T; row++) {
        const isPlace = Math.floor(row / T) % H === 0 && row % T !== 1;
        const [p, r] = [clean, weights].map((x) => [...x.slice(row * S, (row + 1) * S)]) as [
          number[],
          number[],
        ];
        expect(r.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
        // Hidden keys have nothing, and rows of other places are what they were.
        for (let s = 0; s < S; s++) if (p[s] === 0) expect(r[s]).toBe(0);
        if (!isPlace) expect(r).toEqual(p);
        const kl = (a: number[], b: number[]) =>
          a.reduce((sum, x, s) => sum + (x > 0 ? (x * Math.log((2 * x) / (x + b[s]!))) / 2 : 0), 0);
        if (isPlace) [sum, rows] = [sum + kl(p, r) + kl(r, p), rows + 1];
      }
      expect(divergence).toBeCloseTo(sum / rows, 4);
    }
    expect(far.divergence).toBeGreaterThan(0.3);
    expect(near.divergence).toBeLessThan(far.divergence / 2);
  });

  it("refuses what is no distribution, and a call that is not there", () => {
    const { weights } = make(1);
    const before = tf.memory().numTensors;
    const wrong = () => tf.mul(2, weights());
    for (const [op, test] of Object.entries({ permuteWeights, adversarialWeights })) {
      expect(() => test(wrong, { layer: 0 })).toThrow(
        `${op}: the run must return shares that sum to 1 over the last axis, got a sum of 2`,
      );
      expect(() => test(weights, { layer: 3 })).toThrow(`${op}: layer must be within 0 to 0`);
      expect(() => test(weights, { layer: 0, heads: 2 })).toThrow(/heads must be within 0 to 1/);
    }
    expect(() => permuteWeights(weights, { layer: 0, permutations: 0 })).toThrow(
      "permutations must be an integer ≥ 1",
    );
    expect(() => adversarialWeights(weights, { layer: 0, within: 0 })).toThrow(
      "within must be a positive number",
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
