import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  coverageOf,
  logMixture,
  wordLogProbabilities,
} from "../../../src/models/pointer-generator/mixture.ts";
import { onHeed } from "../seq2seq/support.ts";

onHeed();

const FLOOR = Math.log(2 ** -126);

/** log P and its gradients by z, log P_vocab and Σa. */
function mixed(gate: number[], generated: number[], known: number[], copied: number[]) {
  return tf.tidy(() => {
    const given = [gate, generated, copied].map((x) => tf.tensor1d(x));
    const f = (z: tf.Tensor, p: tf.Tensor, a: tf.Tensor) =>
      logMixture({
        gate: z as tf.Tensor1D,
        generated: p as tf.Tensor1D,
        known: tf.tensor1d(known, "bool"),
        copied: a as tf.Tensor1D,
      });
    const { value, grads } = tf.valueAndGrads(f)(given);
    return { logP: [...value.dataSync()], grads: grads.map((x) => [...x.dataSync()]) };
  });
}

// p_gen = 3/4 at z = ln 3. P = 3/4 · 1/2 + 1/4 · 1/5 = 17/40.
// ∂ log P / ∂z = p_gen (1 − p_gen) (P_vocab − Σa) / P, by log P_vocab p_gen P_vocab / P, by Σa (1 − p_gen) / P.
test("gives the value and the gradients worked out by hand", () => {
  const { logP, grads } = mixed([Math.log(3)], [Math.log(0.5)], [1], [0.2]);
  expect(logP[0]).toBeCloseTo(Math.log(17 / 40), 6);
  expect(grads[0]![0]).toBeCloseTo(((3 / 16) * 0.3) / (17 / 40), 6);
  expect(grads[1]![0]).toBeCloseTo(0.375 / (17 / 40), 6);
  expect(grads[2]![0]).toBeCloseTo(0.25 / (17 / 40), 6);
});

test("a word that one side alone has is written or copied, exactly", () => {
  const { logP } = mixed([0, 0, 0], [-2, Number.NaN, -2], [1, 0, 1], [0, 0.25, 2 ** -140]);
  expect(logP[0]).toBeCloseTo(Math.log(0.5) - 2, 6);
  expect(logP[1]).toBeCloseTo(Math.log(0.5) + Math.log(0.25), 6);
  // A denormal share is none.
  expect(logP[2]).toBeCloseTo(Math.log(0.5) - 2, 6);
});

test("a p_gen that is rounded to 0 or 1 keeps its logarithm, and none is NaN: z from −∞ to ∞", () => {
  const z = [-Infinity, -1e38, -200, 200, 1e38, Infinity];
  const generated = z.map(() => -1);
  // Copied where p_gen is 1, written where it is 0: what is left is the tail of the sigmoid.
  const copies = mixed(z, generated, [1, 1, 1, 0, 0, 0], [0, 0, 0, 0.5, 0.5, 0.5]);
  expect(copies.logP[2]).toBeCloseTo(-201, 3);
  expect(copies.logP[3]).toBeCloseTo(-200 + Math.log(0.5), 3);
  for (const n of [0, 1, 4, 5]) expect(copies.logP[n]).toBeCloseTo(FLOOR, 4);
  for (const grad of copies.grads) expect(grad.every(Number.isFinite)).toBe(true);
  // And the other way round nothing is lost.
  const sure = mixed(z, generated, [1, 1, 1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  expect(sure.logP.slice(0, 3).map((x) => Math.fround(x))).toEqual(
    [0.5, 0.5, 0.5].map((a) => Math.fround(Math.log(a))),
  );
  expect(sure.logP.slice(3)).toEqual([-1, -1, -1]);
  for (const grad of sure.grads) expect(grad.every(Number.isFinite)).toBe(true);
});

test("a word that neither side has counts as 2⁻¹²⁶ and has no gradient", () => {
  const { logP, grads } = mixed([0.3, -Infinity], [Number.NaN, -1], [0, 1], [0, 0]);
  expect(logP).toEqual([Math.fround(FLOOR), Math.fround(FLOOR)]);
  expect(grads).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
});

// V = 3, two sources of three places, two rows a source. Source 0 has word 1 twice and 3, its own; source 1 has its
// own 3 and 4 and padding.
test("the words of a step have probabilities that sum to 1, each source its own words", () => {
  const V = 3;
  const logits = Float32Array.from([0, 1, -1, 2, 0, 0, 0, 0, 0, 1, 2, 3]);
  const norms = Float32Array.from({ length: 4 }, (_, n) =>
    Math.log(logits.slice(n * V, n * V + V).reduce((sum, x) => sum + Math.exp(x), 0)),
  );
  const weights = Float32Array.from([0.5, 0.25, 0.25, 0, 0, 1, 0.5, 0.5, 0, 0.25, 0.75, 0]);
  const gates = Float32Array.from([0, 100, -100, -1]);
  const words = Int32Array.from([1, 3, 1, 4, 3, 0]);
  const logP = wordLogProbabilities({ logits, norms, weights, gates, words, own: 2 });
  const P = Array.from({ length: 4 }, (_, n) => [...logP.slice(n * 5, n * 5 + 5)].map(Math.exp));
  for (const row of P) expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
  const e = Math.E;
  expect(P[0]![1]).toBeCloseTo((0.5 * e) / (1 + e + 1 / e) + 0.5 * 0.75, 6);
  expect(P[0]!.slice(3)).toEqual([expect.closeTo(0.125, 6), 0]);
  expect(P[1]).toEqual(
    [e ** 2, 1, 1].map((x) => expect.closeTo(x / (e ** 2 + 2), 6)).concat([0, 0] as never),
  );
  expect(P[2]!.slice(3)).toEqual([expect.closeTo(0.5, 6), expect.closeTo(0.5, 6)]);
  expect(logP.some(Number.isNaN)).toBe(false);
  // Without a gate everything is written.
  const written = wordLogProbabilities({ logits, norms, weights, words, own: 2 });
  expect([...written.slice(0, 5)].map(Math.exp)[3]).toBe(0);
  expect(Math.exp(written[1]!)).toBeCloseTo(e / (1 + e + 1 / e), 6);
});

test("infinite gates give no NaN", () => {
  const given = { norms: Float32Array.of(0), weights: Float32Array.of(1), words: Int32Array.of(1), own: 1 };
  const of = (z: number) =>
    wordLogProbabilities({ ...given, logits: Float32Array.of(0), gates: Float32Array.of(z) });
  expect([...of(Infinity)]).toEqual([0, -Infinity]);
  expect([...of(-Infinity)]).toEqual([-Infinity, 0]);
});

test("coverage is zero at the first step and then the sum of all before", () => {
  const rows = [Float32Array.of(0.25, 0.75), Float32Array.of(1, 0), Float32Array.of(0.5, 0.5)];
  expect(coverageOf(rows).map((row) => [...row])).toEqual([
    [0, 0],
    [0.25, 0.75],
    [1.25, 0.75],
  ]);
  expect(coverageOf([])).toEqual([]);
});
