/** What every attention promises: rows 6 to 13 of the mission, on softAttention and attend. */
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  additiveScore,
  attend,
  dotScore,
  generalScore,
  type Score,
  softAttention,
} from "../../src/attention/index.ts";
import { gradcheckTensors } from "../../src/testing/gradcheck.ts";
import { dot, mix, softmax } from "./sequence/oracle.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "./support.ts";

const [B, T, S, H, D, DV] = [2, 5, 7, 3, 11, 13];

const inputs = () =>
  [tensor(random(1, [B, H, T, D])), tensor(random(2, [B, H, S, D])), tensor(random(3, [B, H, S, DV]))] as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];

/** The source files that `file` imports, directly and through others, but for types. */
function reach(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const imports = readFileSync(file, "utf8").matchAll(/^(?:import|export)(?! type).*? from "(\.[^"]+)";$/gms);
  for (const [, path] of imports) reach(resolve(dirname(file), path!), found);
  return found;
}

onEveryBackend("attention", () => {
  it("gives the context vector Σ α_i h_i of hand-worked weights", () => {
    // Scores 0 and ln 3: α = ¼, ¾; c = ¼·(4, 0) + ¾·(8, 4) = (7, 3).
    const { output, weights } = attend({
      queries: tf.tensor3d([1, 0], [1, 1, 2]),
      keys: tf.tensor3d([0, 5, Math.log(3), 6], [1, 2, 2]),
      values: tf.tensor3d([4, 0, 8, 4], [1, 2, 2]),
      score: dotScore(),
      weights: true,
    });
    expect(distance(weights.dataSync(), [0.25, 0.75])).toBeLessThanOrEqual(1e-7);
    expect(distance(output.dataSync(), [7, 3])).toBeLessThanOrEqual(1e-6);
  });

  it("stays finite with scores of ±10⁴ and does not mind a constant added to all scores", () => {
    const [q, k, v] = inputs();
    const large = softAttention(q, k, v, { scale: 3000, weights: true });
    expect([...large.output.dataSync()].every(Number.isFinite)).toBe(true);
    const sums = tf.sum(large.weights, -1).dataSync();
    expect(distance(sums, new Float32Array(sums.length).fill(1))).toBeLessThanOrEqual(1e-6);
    // A bias of 1 for all keys is a constant; scores below 32 lose at most 32·2⁻²⁴ to its addition.
    const moved = softAttention(q, k, v, { bias: tf.ones([1, 1]) }).output.dataSync();
    expect(distance(moved, softAttention(q, k, v).output.dataSync())).toBeLessThanOrEqual(4e-6);
  });

  it("does not change when keys and values are permuted together", () => {
    const [q, k, v] = inputs();
    const order = tf.tensor1d([3, 0, 6, 2, 5, 1, 4], "int32");
    const permuted = softAttention(q, tf.gather(k, order, 2), tf.gather(v, order, 2)).output;
    expect(distance(permuted.dataSync(), softAttention(q, k, v).output.dataSync())).toBeLessThanOrEqual(1e-6);
  });

  it("focuses by the query: each of several queries over the same keys picks its own", () => {
    const keys = tf.reshape(tf.eye(7), [1, 7, 7]) as tf.Tensor3D;
    const wanted = [4, 0, 6];
    const queries = tf.expandDims(
      tf.mul(tf.gather(tf.eye(7), tf.tensor1d(wanted, "int32")), 10),
      0,
    ) as tf.Tensor3D;
    const { weights } = attend({ queries, keys, values: keys, score: dotScore(), weights: true });
    expect([...tf.argMax(weights, -1).dataSync()]).toEqual(wanted);
  });

  it("lets every visible value change the output, and no hidden one, to the bit", () => {
    const [q, k, v] = inputs();
    const dv = tf
      .grad((x) => softAttention(q, k, x as tf.Tensor4D, { keyLengths: [4, 7] }).output)(v)
      .dataSync();
    const dk = tf
      .grad((x) => softAttention(q, x as tf.Tensor4D, v, { keyLengths: [4, 7] }).output)(k)
      .dataSync();
    dv.forEach((d, e) => {
      const visible = Math.floor(e / DV) % S < [4, 7][Math.floor(e / (DV * S * H))]!;
      if (visible) expect(d).toBeGreaterThan(0);
      else expect(d).toBe(0);
    });
    const hidden = dk.filter((_, e) => e < H * S * D && Math.floor(e / D) % S >= 4);
    expect(hidden.length).toBe(H * 3 * D);
    expect(hidden.every((d) => d === 0)).toBe(true);
  });

  it("is differentiable: gradients agree with differences, masked and unmasked, T ≠ S", () => {
    const half = (seed: number, ...shape: number[]) => tf.mul(tensor(random(seed, shape)), 0.5);
    const small = { q: half(1, 1, 2, 2, 3), k: half(2, 1, 2, 3, 3), v: half(3, 1, 2, 3, 2) };
    for (const options of [{}, { causal: "bottomRight" }, { keyLengths: [2], softCap: 2 }] as const) {
      const f = ({ q, k, v }: Record<string, tf.Tensor>) =>
        softAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, options).output;
      expect(() => gradcheckTensors(f, small)).not.toThrow();
    }
  });

  it("is parallel: a batched call equals a loop over examples and heads to 1e-6", () => {
    const [q, k, v] = inputs();
    const all = softAttention(q, k, v, { causal: "bottomRight" }).output;
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        const one = (x: tf.Tensor4D) => tf.slice(x, [b, h, 0, 0], [1, 1, x.shape[2], x.shape[3]]);
        const alone = softAttention(one(q), one(k), one(v), { causal: "bottomRight" }).output;
        expect(distance(one(all).dataSync(), alone.dataSync())).toBeLessThanOrEqual(1e-6);
      }
    }
  });

  it("is interpretable: weights come when asked for, one distribution per head and query", () => {
    const [q, k, v] = inputs();
    const { weights } = softAttention(q, k, v, { weights: true });
    expect(weights.shape).toEqual([B, H, T, S]);
    expect(weights.dataSync().every((w) => w >= 0 && w <= 1)).toBe(true);
    expect("weights" in softAttention(q, k, v)).toBe(false);
  });

  it("scales to varying lengths: one parameter set, and a padded batch equals its unpadded runs to 1e-6", () => {
    const scores: Score[] = [
      generalScore({ w: tensor(random(4, [D, DV])) }),
      additiveScore({
        w1: tensor(random(5, [DV, 3])),
        w2: tensor(random(6, [D, 3])),
        v: tensor(random(7, [3])),
      }),
    ];
    const lengths = [2, 7, 5];
    const queries = tensor<tf.Tensor3D>(random(1, [3, T, D]));
    const keys = tensor<tf.Tensor3D>(random(2, [3, S, DV]));
    for (const score of scores) {
      const padded = attend({ queries, keys, values: keys, score, mask: { keyLengths: lengths } }).output;
      lengths.forEach((n, b) => {
        const query = tf.slice(queries, [b, 0, 0], [1, T, D]);
        const source = tf.slice(keys, [b, 0, 0], [1, n, DV]);
        const alone = attend({ queries: query, keys: source, values: source, score }).output;
        const together = tf.slice(padded, [b, 0, 0], [1, T, DV]);
        expect(distance(together.dataSync(), alone.dataSync())).toBeLessThanOrEqual(1e-6);
      });
    }
  });

  it("is task-agnostic: one function finds a word in a sentence, a patch in an image, a moment in a series", () => {
    // Words: a vector for each, the same wherever it stands.
    const sentence = ["a", "black", "cat", "sat", "on", "the", "mat"];
    const vocabulary = ["mat", "the", "on", "cat", "sat", "black", "a"];
    const table = random(1, [vocabulary.length, 8]).values;
    const words = sentence.map((word) => {
      const row = vocabulary.indexOf(word) * 8;
      return Array.from(table.slice(row, row + 8));
    });
    // Patches of 3 × 3 pixels of an image of 12 × 12 with a bright diagonal in one of them, rows before columns.
    const noise = random(2, [12, 12]).values;
    const pixel = (y: number, x: number) => noise[y * 12 + x]! + (y - 6 === x - 3 && y >= 6 && y < 9 ? 5 : 0);
    const patches = Array.from({ length: 16 }, (_, n) =>
      Array.from({ length: 9 }, (_, e) =>
        pixel(3 * Math.floor(n / 4) + Math.floor(e / 3), 3 * (n % 4) + (e % 3)),
      ),
    );
    // Windows of 5 steps of a wave that grows.
    const series = Array.from({ length: 33 }, (_, t) => (1 + t / 8) * Math.sin(t / 3));
    const steps = Array.from({ length: 29 }, (_, t) => series.slice(t, t + 5));
    const diagonal = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const asked: [source: number[][], query: number[], at: number][] = [
      [words, words[2]!, 2],
      [patches, diagonal, 9],
      [steps, steps[13]!, 13],
    ];
    for (const [source, query, at] of asked) {
      // Of vectors of one length the one asked for has the largest product.
      const unit = (x: number[], length = 1) =>
        x.map((value) => Math.fround((length * value) / Math.sqrt(dot(x, x))));
      const SHARP = 50;
      const [keys, queries] = [source.map((row) => unit(row)), [unit(query, SHARP)]];
      const { output, weights } = attend({
        queries: tf.tensor3d([queries]),
        keys: tf.tensor3d([keys]),
        values: tf.tensor3d([source]),
        score: dotScore(),
        weights: true,
      });
      const expected = softmax(keys.map((key) => dot(queries[0]!, key)));
      expect(expected.indexOf(Math.max(...expected))).toBe(at);
      // A score is D products of at most SHARP together, and its error is that of the weight, relative.
      const tolerance = SHARP * (keys[0]!.length + 4) * ROUNDING;
      expect(distance(weights.dataSync(), expected)).toBeLessThanOrEqual(tolerance);
      const largest = Math.max(...source.flat().map(Math.abs));
      expect(distance(output.dataSync(), mix(expected, source))).toBeLessThanOrEqual(2 * tolerance * largest);
    }
    // Models attend by that function, and it knows of no model and no task.
    const src = fileURLToPath(new URL("../../src/", import.meta.url));
    const attendFile = join(src, "attention/sequence/attend.ts");
    expect(reach(join(src, "models/index.ts"))).toContain(attendFile);
    const folders = [...reach(attendFile)].map((file) => relative(src, file).split(sep)[0]);
    expect(new Set(folders)).toEqual(new Set(["attention", "core", "host", "kernels", "ops"]));
  });

  it("keeps q, k and v apart: widths may differ and every declared parameter is trained", () => {
    const parameters = [random(4, [DV, 3]), random(5, [D, 3]), random(6, [3])].map((array) =>
      tf.variable(tensor(array)),
    );
    const [w1, w2, v] = parameters as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const x = {
      queries: tensor<tf.Tensor3D>(random(1, [B, T, D])),
      keys: tensor<tf.Tensor3D>(random(2, [B, S, DV])),
      values: tensor<tf.Tensor3D>(random(3, [B, S, 2])),
    };
    const loss = () =>
      tf.sum(tf.square(attend({ ...x, score: additiveScore({ w1, w2, v }) }).output)) as tf.Scalar;
    const { grads } = tf.variableGrads(loss, parameters);
    expect(Object.keys(grads).length).toBe(3);
    for (const gradient of Object.values(grads)) expect(gradient.dataSync().some((d) => d !== 0)).toBe(true);
    for (const parameter of parameters) parameter.dispose();
  });
});
