/** Scores that `attend` hands to one kernel. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { softmax } from "../../../src/attention/normalize/index.ts";
import { additiveScore, concatScore } from "../../../src/attention/score/index.ts";
import { type AttendMask, type AttendOptions, attend } from "../../../src/attention/sequence/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend, onPlainKernels } from "../support.ts";
import { A, B, DK, DQ, inputs, matrix, S, SCORES, T, vector } from "./scores.ts";

function productTests(): void {
  it.each(["dot", "scaledDot", "general"])("goes through one kernel with the %s score", async (name) => {
    const [, width, make] = SCORES.find(([score]) => score === name)!;
    const x = { ...inputs(width), score: make(), mask: { keyLengths: [2, 5] }, weights: true } as const;
    const kernelsOf = async (options: object) => {
      const { kernels } = await tf.profile(() => attend({ ...x, ...options }).output);
      return kernels.map((kernel) => kernel.name).filter((kernel) => /Attention|BatchMatMul/.test(kernel));
    };
    const projection = name === "general" ? ["BatchMatMul"] : [];
    expect(await kernelsOf({ finite: true })).toEqual([
      ...projection,
      "HeedAttention",
      "HeedAttentionWeights",
    ]);
    expect(await kernelsOf({ finite: true, weights: false })).toEqual([...projection, "HeedAttention"]);
    expect(await kernelsOf({ trace: true })).not.toContain("HeedAttention");
    expect(await kernelsOf({ normalize: tf.sigmoid })).not.toContain("HeedAttention");
  });

  it.each(["dot", "scaledDot", "general"])("gives what the composed path gives with the %s score", (name) => {
    tf.tidy(() => {
      const [, width, make] = SCORES.find(([score]) => score === name)!;
      const x = inputs(width);
      const score = make();
      const mask: AttendMask = { keyLengths: [0, 4], bias: matrix(12, T, S), softCap: 2 };
      const f = (trace: boolean) => (queries: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) => {
        const given = { queries, keys, values, score, mask, trace, weights: true };
        const { output, weights } = attend(given as unknown as { weights: true } & AttendOptions);
        // Both lie on the way to the result, so both gradients count.
        return tf.add(tf.sum(tf.square(output)), tf.sum(tf.mul(weights, matrix(13, T, S))));
      };
      const given = [x.queries, x.keys, x.values];
      const [fused, composed] = [false, true].map((trace) => tf.valueAndGrads(f(trace))(given));
      expect(distance(fused!.value.dataSync(), composed!.value.dataSync())).toBeLessThanOrEqual(1e-4);
      fused!.grads.forEach((gradient, n) => {
        const expected = composed!.grads[n]!.dataSync();
        const size = Math.max(1, ...expected.map(Math.abs));
        expect(distance(gradient.dataSync(), expected), `input ${n}`).toBeLessThanOrEqual(4e-6 * size);
      });
    });
  });
}

onEveryBackend("attend with a score that is a product", productTests);
onPlainKernels("attend with a score that is a product", productTests);

describe("attend with a score that is v·tanh(query + key)", () => {
  beforeAll(async () => void (await tf.setBackend("heed")));

  const additive = SCORES.filter(([name]) => name === "additive" || name === "concat");
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
    async (_, __, make) => {
      const { counts, wide } = await runs({ score: make(), weights: true });
      expect(counts).toEqual([1, 1]);
      expect(wide).toBe(false);
    },
  );

  it.each(additive)(
    "%s: is composed where every stage is asked for or the normaliser is another",
    async (_, __, make) => {
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
    async (_, __, make) => {
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

  it.each(additive)(
    "%s: prepared keys of another width are refused before anything is read",
    (_, __, make) => {
      tf.tidy(() => {
        const x = inputs();
        const prepared = tf.zeros<tf.Rank.R3>([B, S, A + 2]);
        expect(() => attend({ ...x, score: make(), prepared })).toThrow(ShapeError);
      });
    },
  );

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
