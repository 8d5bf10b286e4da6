import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type CosformerOptions, cosformerAttention } from "../../../src/attention/linear/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import {
  example,
  expectClose,
  expectFixture,
  expectSame,
  firstSteps,
  fixture,
  type Inputs,
  qkv,
  refusal,
  SIZES,
  spoil,
  withGradients,
} from "./linear-support.ts";

const call =
  (options: CosformerOptions = {}) =>
  ({ q, k, v }: Inputs) =>
    cosformerAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, options).output;

/** Positive queries and keys: every feature counts, and no total is near 0. */
function positive(seed: number, sizes: Parameters<typeof qkv>[1]) {
  const { q, k, v } = qkv(seed, sizes);
  return { q: tf.abs(q), k: tf.abs(k), v };
}

onEveryBackend("cosFormer", () => {
  it.each(fixture("cosformer"))("gives what PyTorch gives in float64: $name", (one) => {
    expectFixture(one, call(one.options));
  });

  it("gives the same values and gradients in all three forms, to 1e-5", () => {
    const x = positive(1, { B: 1, H: 4, Hkv: 2, T: 13, D: 5, Dv: 3 });
    const parallel = call({ causal: true, form: "parallel" });
    expectSame(parallel, call({ causal: true, chunkSize: 4 }), x);
    expectSame(parallel, call({ causal: true, form: "recurrent" }), x);
  });

  it.each(SIZES)("has the gradients of central differences at $B $H $T $D $Dv", (sizes) => {
    const keyLengths = Array(sizes.B).fill(sizes.T - 1);
    gradcheckTensors(call({ causal: true, chunkSize: 2, keyLengths }), positive(4, sizes));
  });

  it("goes on from a state at its position", () => {
    tf.tidy(() => {
      const { q, k, v } = positive(7, { B: 2, H: 2, T: 9, D: 4, Dv: 3 });
      const part = (from: number, to: number) =>
        [q, k, v].map((x) => firstSteps(x, from, to)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const whole = cosformerAttention(q, k, v, { causal: true });
      const early = cosformerAttention(...part(0, 5), { causal: true, length: 9, returnState: true });
      const { state } = early;
      const late = cosformerAttention(...part(5, 9), { causal: true, length: 9, offset: 5, state });
      expectClose(whole.output, tf.concat([early.output, late.output], 2), 1e-6);
    });
  });

  it("gives a padded example what it gives alone with the same length, and NaN in padding reaches nothing", () => {
    const x = positive(10, { B: 2, H: 2, T: 7, D: 4, Dv: 3 });
    const lengths = [7, 3];
    const f = call({ keyLengths: lengths, queryLengths: lengths });
    const one = { q: example(x.q, 1, 3), k: example(x.k, 1, 3), v: example(x.v, 1, 3) };
    expectClose(call({ length: 7 })(one), example(f(x), 1, 3), 1e-6);
    const hidden = (b: number, t: number) => t >= lengths[b]!;
    const dirty = { q: spoil(x.q, hidden), k: spoil(x.k, hidden), v: spoil(x.v, hidden) };
    expect(withGradients(f, dirty)).toEqual(withGradients(f, x));
  });

  it("gives 0 where no features meet, leaves no tensor behind, and refuses lengths that positions reach", () => {
    const { q, k, v } = positive(13, { B: 1, H: 2, T: 5, D: 3, Dv: 2 });
    const none = tf.neg(k) as tf.Tensor4D;
    const before = tf.memory().numTensors;
    const { output } = cosformerAttention(q, none, v);
    expect(tf.memory().numTensors).toBe(before + 1);
    expect(output.dataSync().every((value) => value === 0)).toBe(true);
    expect(refusal(() => cosformerAttention(q, k, v, { length: 4 }))).toBe(
      "cosformerAttention: length must be an integer ≥ 5, got 4; choose one in that range or leave it out",
    );
    expect(refusal(() => cosformerAttention(q, k, v, { offset: -1 }))).toMatch(
      /offset must be an integer ≥ 0, got -1/,
    );
  });
});
