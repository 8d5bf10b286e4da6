import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { quantumSelfAttention, StateVector } from "../../../src/attention/quantum/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, T, QUBITS] = [2, 5, 3];
const C = 3 * QUBITS;
const words = () => tensor<tf.Tensor3D>(random(1, [B, T, C]));
const parameters = (P = C) => ({
  query: tensor<tf.Tensor1D>(random(2, [P])),
  key: tensor<tf.Tensor1D>(random(3, [P])),
  value: tensor<tf.Tensor1D>(random(4, [P])),
});

/** QSANN's circuit, gate by gate. */
function entangle(state: StateVector, theta: ArrayLike<number>): void {
  const n = state.qubits;
  for (let q = 0; q < n; q++) state.rotate("x", q, theta[q]!);
  for (let q = 0; q < n; q++) state.rotate("y", q, theta[n + q]!);
  for (let at = 2 * n; at < theta.length; at += n) {
    if (n > 1) for (let q = 0; q < n; q++) state.cnot(q, (q + 1) % n);
    for (let q = 0; q < n; q++) state.rotate("y", q, theta[at + q]!);
  }
}

/** The paper's formulas in float64: x [T, 3n] → output [T, 3n] and weights [T, T]. */
function byFormula(x: number[][], { query, key, value }: Record<string, ArrayLike<number>>, n: number) {
  const measured = (word: number[], theta: ArrayLike<number>) => {
    const state = new StateVector(n);
    for (let q = 0; q < n; q++) state.hadamard(q);
    entangle(state, word);
    entangle(state, theta);
    return (["x", "y", "z"] as const).flatMap((axis) =>
      Array.from({ length: n }, (_, q) => state.expectation(axis, q)),
    );
  };
  const z0 = 2 * n;
  const [q, k, o] = [query!, key!, value!].map((theta) => x.map((word) => measured(word, theta)));
  const weights = q!.map((row) => {
    const all = k!.map((other) => Math.exp(-((row[z0]! - other[z0]!) ** 2)));
    return all.map((one) => one / all.reduce((a, b) => a + b));
  });
  const output = weights.map((row) =>
    o![0]!.map((_, d) => row.reduce((sum, weight, j) => sum + weight * o![j]![d]!, 0)),
  );
  return { weights, output };
}

onEveryBackend("quantumSelfAttention, simulated", () => {
  it.each([
    [1, 1],
    [2, 0],
    [3, 2],
  ])("is the paper's formulas, with %d qubits and a depth of %d", (n, depth) => {
    tf.tidy(() => {
      const x = tensor<tf.Tensor3D>(random(5, [B, T, 3 * n]));
      const given = parameters(n * (depth + 2));
      const { output, weights } = quantumSelfAttention(x, given, { depth, weights: true });
      const theta = Object.fromEntries(Object.entries(given).map(([name, one]) => [name, one.dataSync()]));
      const expected = x.arraySync().map((rows) => byFormula(rows, theta, n));
      // Scores are of size 4, their parts rounded a few times in float32; weights and values are below 1.
      const tolerance = 64 * ROUNDING;
      const flat = (name: "weights" | "output") => expected.flatMap((one) => one[name].flat());
      expect(distance(weights.dataSync(), flat("weights"))).toBeLessThanOrEqual(tolerance);
      expect(distance(output.dataSync(), flat("output"))).toBeLessThanOrEqual(tolerance);
    });
  });

  it("is worked by hand on one qubit: two words, whose z are 0 and ½", () => {
    tf.tidy(() => {
      // H makes |+⟩, which R_X leaves and R_Y turns by −30° and −90° − … towards z; no further angles.
      const x = tf.tensor3d([0, 0, 0, 0, -Math.PI / 6, 0], [1, 2, 3]);
      const none = tf.zeros<tf.Rank.R1>([3]);
      const { output, weights } = quantumSelfAttention(
        x,
        { query: none, key: none, value: none },
        { weights: true },
      );
      const share = 1 / (1 + Math.exp(-0.25));
      expect(distance(weights.dataSync(), [share, 1 - share, 1 - share, share])).toBeLessThanOrEqual(
        8 * ROUNDING,
      );
      // (x, y, z) are (1, 0, 0) and (cos 30°, 0, ½).
      const mixed = (a: number) => [a + (1 - a) * Math.cos(Math.PI / 6), 0, (1 - a) / 2];
      expect(distance(output.dataSync(), [...mixed(share), ...mixed(1 - share)])).toBeLessThanOrEqual(
        8 * ROUNDING,
      );
    });
  });

  it("has gradients in the words and in all angles that agree with differences", () => {
    const x = { x: tensor(random(6, [1, 3, 6])), ...parameters(6) };
    const f = ({ x, query, key, value }: Record<string, tf.Tensor>) =>
      quantumSelfAttention(
        x as tf.Tensor3D,
        { query: query as tf.Tensor1D, key: key as tf.Tensor1D, value: value as tf.Tensor1D },
        { mask: { keyLengths: [2] } },
      ).output;
    expect(() => gradcheckTensors(f, x, 32)).not.toThrow();
    const [first, ...others] = Object.values(x);
    const gradients = tf.grads((...given: tf.Tensor[]) =>
      f({ x: given[0]!, query: given[1]!, key: given[2]!, value: given[3]! }),
    )([first!, ...others]);
    for (const gradient of gradients) expect(gradient.dataSync().some((value) => value !== 0)).toBe(true);
  });

  it("permutes with its words, whose weights sum to 1 and differ by e⁴ at most", () => {
    tf.tidy(() => {
      const order = tf.tensor1d([3, 0, 4, 1, 2], "int32");
      const run = (x: tf.Tensor3D) => quantumSelfAttention(x, parameters(), { weights: true });
      const { output, weights } = run(words());
      const turned = run(tf.gather(words(), order, 1)).output;
      expect(distance(turned.dataSync(), tf.gather(output, order, 1).dataSync())).toBeLessThanOrEqual(
        64 * ROUNDING,
      );
      for (const row of weights.arraySync().flat()) {
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
        expect(Math.max(...row) / Math.min(...row)).toBeLessThanOrEqual(Math.exp(4) * 1.001);
      }
    });
  });

  it("lets NaN in padding reach nothing, and gives 0 where nothing is seen", () => {
    tf.tidy(() => {
      const lengths = { queryLengths: [3, 0], keyLengths: [3, 0] };
      const padded = (fill: number) =>
        tf.concat([tf.slice(words(), 0, [B, 3, C]), tf.fill([B, 2, C], fill)], 1) as tf.Tensor3D;
      const run = (x: tf.Tensor3D) => quantumSelfAttention(x, parameters(), { mask: lengths });
      const [clean, dirty] = [run(padded(0)).output, run(padded(Number.NaN)).output];
      expect(dirty.dataSync()).toEqual(clean.dataSync());
      expect(
        tf
          .slice(clean, [1, 0, 0], [1, T, C])
          .dataSync()
          .every((value) => value === 0),
      ).toBe(true);
      const { query } = parameters();
      const dquery = tf.grad(
        (one: tf.Tensor) =>
          quantumSelfAttention(
            padded(Number.NaN),
            { ...parameters(), query: one as tf.Tensor1D },
            { mask: lengths },
          ).output,
      )(query);
      expect(dquery.dataSync().every(Number.isFinite)).toBe(true);
      expect(dquery.dataSync().some((value) => value !== 0)).toBe(true);
    });
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const [x, given] = [words(), parameters()];
      const before = tf.memory().numTensors;
      quantumSelfAttention(x, given, { weights: true });
      expect(tf.memory().numTensors).toBe(before + 2);
    });
  });

  const refused: [string, () => unknown, typeof OptionError | typeof ShapeError, string][] = [
    [
      "more than eight qubits",
      () => quantumSelfAttention(tf.zeros([1, 2, 27]), parameters(27)),
      OptionError,
      "quantumSelfAttention: a simulated register must have an integer from 1 to 8 qubits, got 9; use fewer qubits; the state vector doubles with each",
    ],
    [
      "a width that is no multiple of 3",
      () => quantumSelfAttention(tf.zeros([1, 2, 7]), parameters()),
      ShapeError,
      "quantumSelfAttention: x [B, T, 3n] must have three angles for each qubit, got a width of 7; map the words to a multiple of 3 first",
    ],
    [
      "angles of another depth",
      () => quantumSelfAttention(words(), parameters(), { depth: 2 }),
      ShapeError,
      "quantumSelfAttention: query must be float32 of shape [n·(depth + 2)] = [12], got float32 of shape [9]; the letters must mean the same sizes in all of the call's tensors",
    ],
    [
      "a depth below 0",
      () => quantumSelfAttention(words(), parameters(), { depth: -1 }),
      OptionError,
      "quantumSelfAttention: depth must be an integer ≥ 0, got -1; choose one in that range or leave it out",
    ],
  ];
  it.each(refused)("refuses %s", (_, attempted, error, message) => {
    const attempt = () => tf.tidy(() => void attempted());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
