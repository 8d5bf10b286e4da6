/** `scoreMod` and `maskMod` through the op, on every backend. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, it } from "vitest";
import * as presets from "../../src/core/expression/presets/index.ts";
import type { ScoreMod } from "../../src/core/expression/trace.ts";
import { attention } from "../../src/ops/index.ts";
import { gradcheckTensors } from "../../src/testing/index.ts";
import { makeCase } from "../kernels/cases.ts";
import { CLASSICS } from "../kernels/modification-cases.ts";
import { useBuild } from "../support/kernel-build.ts";
import { BACKENDS, expectReference, far, H, inputs, OPTIONS, read, SHAPES, T } from "./attention-support.ts";

afterAll(() => tf.setBackend("cpu"));

describe.each(BACKENDS)("On %s functions of scores equal the reference", (_, use) => {
  it.each(Object.keys(CLASSICS))("%s", async (name) => {
    await use();
    const options = CLASSICS[name]!(SHAPES);
    const before = tf.memory().numTensors;
    expectReference(makeCase(SHAPES, options, 3), options, "bhtd");
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(OPTIONS)("with %s", async (_name, given) => {
    await use();
    const options = { ...given, ...CLASSICS.mixed!(SHAPES) };
    expectReference(makeCase(SHAPES, options, 5), options, "bthd");
  });
});

/** Weights of one call, and the gradients of a sum over them. */
function weightsOf(options: { scoreMod: ScoreMod }): number[][] {
  return tf.tidy(() => {
    const [q, k, v] = inputs();
    const slopes = tf.tensor1d(Array.from({ length: H }, (_, h) => 0.1 * h));
    const bias = tf.fill([T, 1], 0.2);
    const call = (q: tf.Tensor, k: tf.Tensor, slopes: tf.Tensor, bias: tf.Tensor) =>
      attention(q as tf.Tensor4D, k as tf.Tensor4D, v, {
        ...options,
        ...{ softCap: 2, bias, maskMod: presets.windowMaskMod(3, 2), tensors: { slopes }, weights: true },
      }).weights;
    const loss = (...x: tf.Tensor[]) => tf.sum(tf.square(call(x[0]!, x[1]!, x[2]!, x[3]!)));
    return [call(q, k, slopes, bias), ...tf.grads(loss)([q, k, slopes, bias])].map(read);
  });
}

it("gradients of the weights reach the tensors that are captured, fused as composed", async () => {
  const options = { scoreMod: presets.learnedAlibiScoreMod };
  await tf.setBackend("wasm");
  const composed = weightsOf(options);
  await useBuild("relaxed");
  const fused = weightsOf(options);
  expect(fused.map((x, n) => far(x, composed[n]!) < 2e-6)).toEqual([true, true, true, true, true]);
});

it("captured tensors pass gradcheck on heed, those that heads and rows share too", async () => {
  await useBuild("relaxed");
  const [q, k, v] = inputs();
  const report = gradcheckTensors(
    ({ gain, table }) =>
      attention(q, k, v, {
        scoreMod: (score, { h, q, k }, tensors) =>
          score.mul(tensors.gain!.at().sigmoid()).add(tensors.table!.at(h, k.sub(q).add(2)).tanh()),
        tensors: { gain: gain!, table: table! },
      }).output,
    { gain: tf.scalar(0.3), table: tf.randomNormal([1, 5], 0, 1, "float32", 7) },
  );
  expect(report.error).toBeLessThan(1e-3);
  tf.dispose([q, k, v]);
});

it("chunks are given up where attention is composed, for the same answer", async () => {
  await tf.setBackend("wasm");
  const outputs = tf.tidy(() => {
    const [q, k, v] = inputs();
    const options = { scoreMod: presets.alibiScoreMod(H) };
    const one = attention(q, k, v, options).output;
    return [one, attention(q, k, v, { ...options, queryChunkSize: 2 }).output].map(read);
  });
  expect(far(outputs[0]!, outputs[1]!)).toBe(0);
});
