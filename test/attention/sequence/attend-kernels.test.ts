/** Scores that `attend` hands to one kernel. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type AttendMask, type AttendOptions, attend } from "../../../src/attention/sequence/index.ts";
import { distance, onEveryBackend, onPlainKernels } from "../support.ts";
import { inputs, matrix, S, SCORES, T } from "./scores.ts";

function productTests(): void {
  it.each(["dot", "scaledDot", "general", "cosine", "l2"])(
    "goes through one kernel with the %s score",
    async (name) => {
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
    },
  );

  it.each(["dot", "scaledDot", "general", "cosine", "l2"])(
    "gives what the composed path gives with the %s score",
    (name) => {
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
    },
  );
}

onEveryBackend("attend with a score that is a product", productTests);
onPlainKernels("attend with a score that is a product", productTests);
