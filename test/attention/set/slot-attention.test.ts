import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type SlotAttentionParameters, slotAttention } from "../../../src/attention/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { type Flat, leftBehind, slotParameters, slotTensors } from "./support.ts";

const [B, T, S, C, CX, D, DV, F] = [2, 3, 7, 5, 11, 2, 13, 17];
const parameters = () => slotParameters(slotTensors(10, { C, Cx: CX, D, Dv: DV, F }));
const set = () => tensor<tf.Tensor3D>(random(1, [B, S, CX]));
const slots = () => tensor<tf.Tensor3D>(random(2, [B, T, C]));

// Numbers near 1 behind three rounds of some dozens of roundings each.
const NEAR = 256 * ROUNDING;

/** Algorithm 1 of the paper for one example, as loops in float64. */
function oracle(x: number[][], first: number[][], t: Flat, iterations: number, epsilon: number) {
  const array = (name: string) => t[name]!.arraySync() as number[][];
  const vector = (name: string) => t[name]!.arraySync() as number[];
  const map = (row: number[], w: number[][], b?: number[]) =>
    w[0]!.map((_, o) => row.reduce((sum, value, i) => sum + value * w[i]![o]!, b?.[o] ?? 0));
  const norm = (row: number[], gamma: number[], beta: number[]) => {
    const mean = row.reduce((sum, n) => sum + n, 0) / row.length;
    const variance = row.reduce((sum, n) => sum + (n - mean) ** 2, 0) / row.length;
    return row.map((n, c) => ((n - mean) / Math.sqrt(variance + 1e-5)) * gamma[c]! + beta[c]!);
  };
  const sigmoid = (n: number) => 1 / (1 + Math.exp(-n));
  const inputs = x.map((row) => norm(row, vector("inputGamma"), vector("inputBeta")));
  const [keys, values] = ["wk", "wv"].map((name) => inputs.map((row) => map(row, array(name))));
  let held = first;
  let weights: number[][] = [];
  for (let n = 0; n < iterations; n++) {
    const queries = held.map((row) => map(norm(row, vector("slotGamma"), vector("slotBeta")), array("wq")));
    const width = queries[0]!.length;
    const scores = queries.map((q) =>
      keys!.map((k) => k.reduce((sum, n, d) => sum + n * q[d]!, 0) / Math.sqrt(width)),
    );
    weights = scores.map((row) =>
      row.map((score, s) => Math.exp(score) / scores.reduce((sum, other) => sum + Math.exp(other[s]!), 0)),
    );
    held = held.map((slot, at) => {
      const shares = weights[at]!.map((weight) => weight + epsilon);
      const all = shares.reduce((sum, n) => sum + n, 0);
      const update = values![0]!.map((_, c) =>
        values!.reduce((sum, v, s) => sum + (v[c]! * shares[s]!) / all, 0),
      );
      const [input, hidden] = [
        map(update, array("input"), vector("inputBias")),
        map(slot, array("hidden"), vector("hiddenBias")),
      ];
      const size = slot.length;
      const next = slot.map((h, c) => {
        const r = sigmoid(input[c]! + hidden[c]!);
        const z = sigmoid(input[size + c]! + hidden[size + c]!);
        return (1 - z) * Math.tanh(input[2 * size + c]! + r * hidden[2 * size + c]!) + z * h;
      });
      const inner = map(norm(next, vector("gamma"), vector("beta")), array("w1"), vector("b1"));
      const out = map(
        inner.map((n) => Math.max(0, n)),
        array("w2"),
        vector("b2"),
      );
      return next.map((n, c) => n + out[c]!);
    });
  }
  return { held, weights };
}

onEveryBackend("slotAttention", () => {
  it("computes what the loops of the paper's algorithm compute", () => {
    const t = slotTensors(10, { C, Cx: CX, D, Dv: DV, F });
    for (const [iterations, epsilon] of [
      [1, 1e-8],
      [3, 0.1],
    ] as const) {
      const options = { iterations, epsilon, weights: true } as const;
      const { output, weights } = slotAttention(set(), slots(), slotParameters(t), options);
      const [x, first] = [set().arraySync(), slots().arraySync()];
      const expected = x.map((example, b) => oracle(example, first[b]!, t, iterations, epsilon));
      expect(
        distance(
          output.dataSync(),
          expected.flatMap(({ held }) => held.flat()),
        ),
      ).toBeLessThanOrEqual(NEAR);
      const shares = expected.flatMap(({ weights: own }) => own.flat());
      expect(distance(weights.dataSync(), shares)).toBeLessThanOrEqual(NEAR);
    }
  });

  it("computes a case worked by hand: an open GRU takes over the mean of what each slot won", () => {
    // Slots (1, −1) and (−1, 1) after their norm, elements too; scores ±2·9/√2 share them almost wholly: slot 0 has
    // elements 0 and 2, slot 1 element 1. The update gate is shut (z = σ(−40)), the candidate tanh of the mean value.
    const w = tf.eye(2);
    const gru = {
      input: tf.concat([tf.zeros([2, 4]), w], 1) as tf.Tensor2D,
      inputBias: tf.tensor1d([0, 0, -40, -40, 0, 0]),
      hidden: tf.zeros<tf.Rank.R2>([2, 6]),
      hiddenBias: tf.zeros<tf.Rank.R1>([6]),
    };
    const feedForward = { w1: tf.zeros<tf.Rank.R2>([2, 1]), w2: tf.zeros<tf.Rank.R2>([1, 2]) };
    const norms = { inputNorm: {}, slotNorm: {}, feedForwardNorm: {} };
    const given = { wq: tf.mul<tf.Tensor2D>(w, 9), wk: w, wv: w, gru, feedForward, ...norms };
    const x = tf.tensor3d([5, 1, 0, 4, 3, 0], [1, 3, 2]);
    const begin = tf.tensor3d([2, 1, 1, 2], [1, 2, 2]);
    const { output, weights } = slotAttention(x, begin, given, { iterations: 1, weights: true });
    // e^(−4·9/√2) = 9e-12 of an element is with the other slot; the ε of the norms and of the mean are larger.
    expect(distance(weights.dataSync(), [1, 0, 1, 0, 1, 0])).toBeLessThanOrEqual(1e-10);
    const one = Math.tanh(1);
    expect(distance(output.dataSync(), [one, -one, -one, one])).toBeLessThanOrEqual(1e-4);
  });

  it("shares every element among the slots, and permutes its slots with those that it began with", () => {
    const { output, weights } = slotAttention(set(), slots(), parameters(), { weights: true });
    expect(weights.shape).toEqual([B, T, S]);
    expect(distance(tf.sum(weights, 1).dataSync(), new Float32Array(B * S).fill(1))).toBeLessThanOrEqual(
      4 * ROUNDING,
    );
    const turn = (t: tf.Tensor3D) => tf.gather(t, tf.tensor1d([2, 0, 1], "int32"), 1);
    const turned = slotAttention(set(), turn(slots()), parameters()).output;
    expect(distance(turned.dataSync(), turn(output).dataSync())).toBeLessThanOrEqual(NEAR);
    const permuted = tf.gather(set(), tf.tensor1d([3, 6, 0, 5, 1, 4, 2], "int32"), 1);
    const same = slotAttention(permuted, slots(), parameters()).output;
    expect(distance(same.dataSync(), output.dataSync())).toBeLessThanOrEqual(NEAR);
  });

  it("slots that begin alike stay alike", () => {
    const alike = tf.tile(tf.slice(slots(), [0, 0, 0], [B, 1, C]), [1, T, 1]) as tf.Tensor3D;
    const { output } = slotAttention(set(), alike, parameters());
    const first = tf.slice(output, [0, 0, 0], [B, 1, C]);
    expect(tf.max(tf.abs(tf.sub(output, first))).dataSync()[0]).toBe(0);
  });

  it("does not see elements that are not there, nor NaN in their place, and holds still over an empty set", () => {
    const there = tf.tensor2d([1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0], [B, S], "bool");
    const dirty = tf.where(tf.expandDims(there, 2), set(), Number.NaN) as tf.Tensor3D;
    const { output, weights } = slotAttention(dirty, slots(), parameters(), { allow: there, weights: true });
    const kept = tf.gather(set(), tf.tensor1d([0, 2, 3, 5, 6], "int32"), 1);
    const smaller = slotAttention(kept, slots(), parameters()).output;
    const row = (t: tf.Tensor3D, b: number) => tf.slice(t, [b, 0, 0], [1, T, C]).dataSync();
    expect(distance(row(output, 0), row(smaller, 0))).toBeLessThanOrEqual(NEAR);
    const gone = tf.gather(weights, tf.tensor1d([1, 4], "int32"), 2).dataSync();
    expect(gone.every((weight: number) => weight === 0)).toBe(true);
    expect(row(output, 1).every(Number.isFinite)).toBe(true);
    const gradients = tf.grads(
      (wk, wv) =>
        slotAttention(dirty, slots(), { ...parameters(), wk, wv } as SlotAttentionParameters, {
          allow: there,
        }).output,
    )([parameters().wk, parameters().wv]);
    for (const gradient of gradients) expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
  });

  it("passes the gradient check for the set, the slots and every parameter", () => {
    const all: Flat = {
      x: tensor(random(1, [1, 3, 5])),
      slots: tensor(random(2, [1, 2, 3])),
      ...slotTensors(10, { C: 3, Cx: 5, D: 2, Dv: 2, F: 2 }),
    };
    // Away from the kink of ReLU, which a step of the check would cross.
    all.b1 = tf.tensor1d([4, 5]);
    const f = ({ x, slots: begin, ...t }: Flat) =>
      slotAttention(x as tf.Tensor3D, begin as tf.Tensor3D, slotParameters(t), { iterations: 2 }).output;
    expect(() => gradcheckTensors(f, all, 512)).not.toThrow();
  });

  it("leaves no tensor behind, and refuses what does not fit", () => {
    const [x, begin, given, allow] = [set(), slots(), parameters(), tf.ones([S], "bool")];
    expect(leftBehind(() => slotAttention(x, begin, given, { allow, weights: true }))).toBe(0);
    expect(() => slotAttention(x, begin, given, { iterations: 0 })).toThrow(OptionError);
    expect(() => slotAttention(x, begin, given, { iterations: 0 })).toThrow(
      "slotAttention: iterations must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    );
    expect(() => slotAttention(x, begin, given, { epsilon: 0 })).toThrow(
      "slotAttention: epsilon must be a positive number, got 0; choose one in that range or leave it out",
    );
    expect(() => slotAttention(x, tf.zeros([B + 1, T, C]), given)).toThrow(ShapeError);
    expect(() => slotAttention(x, tf.zeros([B + 1, T, C]), given)).toThrow(
      `slotAttention: x [B, S, Cx] and slots [B, T, C] must have the same B, got shapes [${B}, ${S}, ${CX}] and ` +
        `[${B + 1}, ${T}, ${C}]; make their B equal`,
    );
    expect(() => slotAttention(x, begin, { ...given, wk: tf.zeros([CX + 1, D]) })).toThrow(
      `slotAttention: wk must be float32 of shape [Cx, D] = [${CX}, ${D}], got float32 of shape [${CX + 1}, ${D}]; the ` +
        "letters must mean the same sizes in all of the call's tensors",
    );
  });
});
