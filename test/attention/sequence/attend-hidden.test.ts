import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { softmax } from "../../../src/attention/normalize/index.ts";
import { additiveScore, concatScore, type Score } from "../../../src/attention/score/index.ts";
import { type AttendMask, attend } from "../../../src/attention/sequence/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import "../../../src/host/backend.ts";
import { distance, random, tensor } from "../support.ts";

const [B, T, S, DQ, DK, DV, A] = [2, 3, 5, 7, 11, 13, 17];

function inputs() {
  return {
    queries: tensor<tf.Tensor3D>(random(1, [B, T, DQ])),
    keys: tensor<tf.Tensor3D>(random(2, [B, S, DK])),
    values: tensor<tf.Tensor3D>(random(3, [B, S, DV])),
  };
}

const matrix = (seed: number, ...shape: number[]) => tensor<tf.Tensor2D>(random(seed, shape));
const vector = (seed: number, n: number) => tensor<tf.Tensor1D>(random(seed, [n]));

const additive: [string, () => Score][] = [
  [
    "additive",
    () => additiveScore({ w1: matrix(5, DK, A), w2: matrix(6, DQ, A), v: vector(7, A), b: vector(8, A) }),
  ],
  ["concat", () => concatScore({ w: matrix(9, DQ + DK, A), v: vector(10, A) })],
];

describe("attend with a score that is v·tanh(query + key)", () => {
  beforeAll(async () => expect(await tf.setBackend("heed")).toBe(true));

  const mask: AttendMask = { keyLengths: [3, 5], causal: "bottomRight", softCap: 2 };
  const f =
    (options: Partial<Parameters<typeof attend>[0]>) =>
    (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor): tf.Tensor =>
      attend({ queries, keys, values, mask, ...options } as Parameters<typeof attend>[0]).output;

  /** Output and gradients, and how often the fused kernels and tanh of every pair ran for them. */
  async function runs(options: Partial<Parameters<typeof attend>[0]>) {
    const { queries, keys, values } = inputs();
    const results: Float32Array[] = [];
    const { kernels } = await tf.profile(() => {
      const { value, grads } = tf.valueAndGrads((...x: tf.Tensor[]) => {
        const output = f(options)(x[0]!, x[1]!, x[2]!);
        return tf.sum(tf.mul(output, tf.reshape(tf.range(0, output.size), output.shape)));
      })([queries, keys, values]);
      results.push(...[value, ...grads].map((t) => t.dataSync() as Float32Array));
      return value;
    });
    const count = (name: string) => kernels.filter((kernel) => kernel.name === name).length;
    const counts = [count("HeedAdditiveAttention"), count("HeedAdditiveAttentionGrad")];
    const wide = kernels.some(({ outputShapes }) => outputShapes.some((shape) => shape.length === 4));
    return { results, counts, wide };
  }

  it.each(additive)(
    "%s: is one kernel forward and one backward, and nothing of T · S · A",
    async (_, make) => {
      const { counts, wide } = await runs({ score: make(), weights: true });
      expect(counts).toEqual([1, 1]);
      expect(wide).toBe(false);
    },
  );

  it.each(additive)(
    "%s: is composed where every stage is asked for or the normaliser is another",
    async (_, make) => {
      const trace = await runs({ score: make(), trace: true });
      const sigmoid = await runs({ score: make(), normalize: (s) => tf.sigmoid(s) });
      expect([trace.counts, sigmoid.counts]).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect(trace.wide).toBe(true);
      expect((await runs({ score: make(), normalize: softmax })).counts).toEqual([1, 1]);
    },
  );

  it.each(additive)(
    "%s: the kernel gives what the composed stages give, gradients included",
    async (_, make) => {
      const options: Partial<Parameters<typeof attend>[0]>[] = [
        {},
        { dropout: { rate: 0.4, seed: 2 }, training: true },
        { mask: { bias: matrix(21, T, S), onEmptyRow: "uniform", queryLengths: [0, 2] } },
        { finite: true },
      ];
      for (const own of options) {
        const [fused, composed] = [
          await runs({ score: make(), ...own }),
          await runs({ score: make(), ...own, trace: true }),
        ];
        expect([fused.counts[0], composed.counts[0]]).toEqual([1, 0]);
        // Losses are weighed by up to 78, scores sum 17 tanh of 2⁻²² each.
        fused.results.forEach((result, n) => {
          const size = Math.max(1, ...composed.results[n]!.map(Math.abs));
          expect(distance(result, composed.results[n]!) / size).toBeLessThanOrEqual(17 * 2 ** -20);
        });
      }
    },
  );

  it.each(additive)("%s: prepared keys of another width are refused before anything is read", (_, make) => {
    tf.tidy(() => {
      const x = inputs();
      const prepared = tf.zeros<tf.Rank.R3>([B, S, A + 2]);
      expect(() => attend({ ...x, score: make(), prepared })).toThrow(ShapeError);
    });
  });

  it.each(additive)("%s: parameters get the gradients of the composed stages", (name) => {
    const x = inputs();
    const parameters = name === "concat" ? [matrix(9, DQ + DK, A)] : [matrix(5, DK, A), matrix(6, DQ, A)];
    const loss =
      (trace: boolean) =>
      (v: tf.Tensor, ...w: tf.Tensor[]) => {
        const score =
          name === "concat"
            ? concatScore({ w: w[0] as tf.Tensor2D, v: v as tf.Tensor1D })
            : additiveScore({ w1: w[0] as tf.Tensor2D, w2: w[1] as tf.Tensor2D, v: v as tf.Tensor1D });
        return tf.sum(tf.square(attend({ ...x, score, mask, trace }).output));
      };
    const [fused, composed] = [false, true].map((trace) =>
      tf.grads(loss(trace))([vector(7, A), ...parameters]),
    );
    fused!.forEach((gradient, n) => {
      const expected = composed![n]!.dataSync();
      const size = Math.max(1, ...expected.map(Math.abs));
      expect(distance(gradient.dataSync(), expected) / size).toBeLessThanOrEqual(17 * 2 ** -20);
      expect(expected.some((g) => g !== 0)).toBe(true);
    });
  });
});

describe.each(["cpu", "heed"])("attend with a hidden layer on %s", (backend) => {
  beforeAll(async () => expect(await tf.setBackend(backend)).toBe(true));

  it.each([["additive"], ["concat"]] as const)(
    "%s: padding that is finite and huge changes no gradient, of inputs or parameters",
    (name) => {
      const { queries, keys, values } = inputs();
      const [w1, w2, v] = [matrix(5, DK, A), matrix(6, DQ, A), vector(7, A)];
      const gradients = (padding: number) => {
        const padded = (x: tf.Tensor) =>
          tf.concat([x, tf.fill([B, 2, x.shape[2]!], padding)], 1) as tf.Tensor3D;
        const f = (...x: tf.Tensor[]) => {
          const [a, b, c] = x.slice(3) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
          const score =
            name === "additive"
              ? additiveScore({ w1: a, w2: b, v: c })
              : concatScore({ w: tf.concat([b, a]) as tf.Tensor2D, v: c });
          const [q, k, y] = x as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
          const { output } = attend({ queries: q, keys: k, values: y, score, mask: { keyLengths: [S, 3] } });
          return tf.sum(tf.sin(output));
        };
        const all = tf.grads(f)([queries, padded(keys), padded(values), w1, w2, v]);
        return all.map((gradient) => Array.from(gradient.dataSync()));
      };
      const expected = gradients(0);
      for (const padding of [1e38, -3e38]) expect(gradients(padding)).toEqual(expected);
    },
  );
});
