import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type AftOptions, aftAttention } from "../../../src/attention/linear/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import {
  drawn,
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
  (options: AftOptions = {}) =>
  ({ q, k, v, w }: Inputs) =>
    aftAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { w: w as tf.Tensor2D }, options)
      .output;

onEveryBackend("the attention-free transformer", () => {
  it.each(fixture("aft"))("gives what PyTorch gives in float64: $name", (one) => {
    expectFixture(one, call(one.options));
  });

  it("is the simple one where w is 0, causal or not", () => {
    const x = qkv(1, { B: 2, H: 3, T: 7, D: 5, Dv: 5 });
    for (const options of [{}, { causal: true }, { causal: true, keyLengths: [5, 0] }]) {
      expectSame(
        call(options),
        ({ q, k, v }) => call(options)({ q: q!, k: k!, v: v!, w: tf.zeros([7, 7]) }),
        x,
      );
    }
  });

  it.each(SIZES)("has the gradients of central differences at $B $H $T $D", ({ B, H, T, D }) => {
    const x = { ...qkv(4, { B, H, T, D, Dv: D }), w: drawn<tf.Tensor>(7, [T, T]) };
    gradcheckTensors(call({ causal: true, keyLengths: Array(B).fill(T - 1) }), x);
  });

  it("gives a padded example what it gives alone, and one without keys 0; NaN in padding reaches nothing", () => {
    const x = { ...qkv(8, { B: 3, H: 2, T: 7, D: 3, Dv: 3 }), w: drawn<tf.Tensor2D>(11, [7, 7]) };
    const lengths = [7, 3, 0];
    for (const causal of [false, true]) {
      const f = call({ causal, keyLengths: lengths, queryLengths: [7, 3, 2] });
      const alone = call({ causal })({
        q: example(x.q, 1, 3),
        k: example(x.k, 1, 3),
        v: example(x.v, 1, 3),
        w: tf.slice(x.w, [0, 0], [3, 3]),
      });
      expectClose(alone, example(f(x), 1, 3), 1e-6);
      expect(
        example(f(x), 2)
          .dataSync()
          .every((value) => value === 0),
      ).toBe(true);
      const hidden = (b: number, t: number) => t >= lengths[b]!;
      const dirty = {
        ...x,
        k: spoil(x.k, hidden),
        v: spoil(x.v, hidden),
        q: spoil(x.q, (b, t) => b === 1 && t >= 3),
      };
      expect(withGradients(f, dirty)).toEqual(withGradients(f, x));
    }
  });

  it("lets a later key change no earlier output, however large it is", () => {
    tf.tidy(() => {
      const x = qkv(20, { B: 2, H: 1, T: 7, D: 3, Dv: 3 });
      const ramp = tf.reshape(tf.range(0, 7), [1, 1, 7, 1]);
      for (const step of [30, 200, -200]) {
        const k = tf.add(x.k, tf.mul(ramp, step)) as tf.Tensor4D;
        for (const keyLengths of [undefined, [7, 3]]) {
          const f = call({ causal: true, ...(keyLengths && { keyLengths }) });
          const whole = f({ ...x, k });
          for (const t of [1, 3, 7]) {
            const begun = call({
              causal: true,
              ...(keyLengths && { keyLengths: keyLengths.map((n) => Math.min(n, t)) }),
            });
            const alone = begun({
              q: firstSteps(x.q, 0, t),
              k: firstSteps(k, 0, t),
              v: firstSteps(x.v, 0, t),
            });
            expectClose(alone, firstSteps(whole, 0, t), 1e-6);
          }
        }
      }
    });
  });

  it("has the gradients of central differences where keys are far from one another", () => {
    const { q, k, v } = qkv(24, { B: 1, H: 2, T: 5, D: 3, Dv: 3 });
    const far = tf.mul(tf.reshape(tf.cast(tf.equal(tf.range(0, 5), 3), "float32"), [1, 1, 5, 1]), 100);
    const shifted = ({ q, k, v }: Inputs) => call({ causal: true })({ q: q!, k: tf.add(k!, far), v: v! });
    gradcheckTensors(shifted, { q, k, v });
  });

  it("lets a key or value that is not finite reach no earlier step", () => {
    const x = { ...qkv(12, { B: 1, H: 2, T: 5, D: 3, Dv: 3 }), w: drawn<tf.Tensor>(15, [5, 5]) };
    const early = (given: Inputs) => firstSteps(call({ causal: true })(given), 0, 2);
    const clean = call({ causal: true })({ ...x, k: spoil(x.k, (_, t) => t === 2) });
    expect(firstSteps(clean, 2, 5).dataSync().every(Number.isNaN)).toBe(true);
    expectClose(early(x), firstSteps(clean, 0, 2), 1e-6);
  });

  it("leaves no tensor behind and refuses what does not fit", () => {
    const { q, k, v } = qkv(16, { B: 1, H: 2, T: 5, S: 7, D: 3, Dv: 3 });
    const before = tf.memory().numTensors;
    const result = aftAttention(q, k, v, { w: tf.zeros([5, 7]) });
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose(result);
    expect(refusal(() => aftAttention(q, k, v, { w: tf.zeros([5, 6]) }))).toBe(
      "aftAttention: w [T, S] must have shape [5, 7] here, got [5, 6]; each letter must mean the same size in all inputs",
    );
    expect(refusal(() => aftAttention(q, k, v, {}, { causal: true }))).toMatch(
      /as many queries as keys, got T=5 and S=7/,
    );
    expect(refusal(() => aftAttention(q, k, drawn(1, [1, 2, 7, 4])))).toMatch(
      /v \[B, H, S, D\] must have shape \[1, 2, 7, 3\]/,
    );
  });
});
