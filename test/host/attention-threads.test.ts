import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import {
  alibiScoreMod,
  learnedAlibiScoreMod,
  windowMaskMod,
} from "../../src/core/expression/presets/index.ts";
import { init, shutdown } from "../../src/kernels/init.ts";
import { PoolSpace } from "../../src/kernels/wasm/pool/pool.ts";
import { type AttentionOptions, attention } from "../../src/ops/attention.ts";
import { useBuild } from "../support/kernel-build.ts";
import { normal } from "./compare.ts";

beforeAll(() => useBuild("relaxed"));
afterAll(() => shutdown());

const [B, H, Hkv, T, S, D, Dv] = [2, 4, 2, 331, 401, 31, 17];

/** Output, weights and all gradients, as bytes. */
function run(options: AttentionOptions): Buffer[] {
  const before = tf.memory().numTensors;
  const heads = (heads: number, rows: number, width: number, seed: number) =>
    normal(
      options.layout === "bthd" ? [B, rows, heads, width] : [B, heads, rows, width],
      seed,
    ) as tf.Tensor4D;
  const results = tf.tidy(() => {
    const x = [heads(H, T, D, 1), heads(Hkv, S, D, 2), heads(Hkv, S, Dv, 3)] as const;
    const loss = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => {
      const { output, lse } = attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
        ...options,
        lse: true,
      });
      return tf.add(tf.sum(tf.square(output)), tf.sum(lse));
    };
    const { output, weights } = attention(...x, { ...options, weights: true });
    return [output, weights, ...tf.grads(loss)([...x])].map((t) => Buffer.from(t.dataSync().slice().buffer));
  });
  expect(tf.memory().numTensors).toBe(before);
  return results;
}

it.each<[string, AttentionOptions]>([
  ["heads first", { causal: "bottomRight" }],
  ["positions first", { layout: "bthd", keyLengths: [401, 150], softCap: 3 }],
  ["dropout", { dropout: { rate: 0.2, seed: 3 }, training: true }],
  ["functions of scores", { scoreMod: alibiScoreMod(4), maskMod: windowMaskMod(170, 90) }],
])("attention on the heed backend gives the same bits on the threads of init: %s", async (_, options) => {
  await init({ threads: 1 });
  const alone = run(options);
  await init({ threads: 2 });
  const kernels = vi.spyOn(PoolSpace.prototype, "run");
  kernels.mockClear();
  const shared = run(options);
  const used = new Set(kernels.mock.calls.map(([kernel]) => kernel));
  for (const kernel of ["attentionForward", "attentionWeights", "attentionBackward"]) {
    expect(used.has(kernel)).toBe(true);
  }
  expect(shared.map((bytes, n) => bytes.equals(alone[n]!))).toEqual([true, true, true, true, true]);
});

it("captured tensors have the same gradients, bit for bit, on the threads of init", async () => {
  const gradients = () =>
    tf.tidy(() => {
      const x = [normal([B, H, T, D], 1), normal([B, Hkv, S, D], 2), normal([B, Hkv, S, Dv], 3)];
      const [q, k, v] = x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const loss = (slopes: tf.Tensor) =>
        tf.sum(tf.square(attention(q, k, v, { scoreMod: learnedAlibiScoreMod, tensors: { slopes } }).output));
      return Buffer.from(
        tf
          .grad(loss)(normal([H], 4))
          .dataSync()
          .slice().buffer,
      );
    });
  await init({ threads: 1 });
  const alone = gradients();
  await init({ threads: 2 });
  for (let n = 0; n < 3; n++) expect(gradients().equals(alone)).toBe(true);
});
