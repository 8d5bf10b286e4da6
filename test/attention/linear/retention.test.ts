import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  gatedDelta,
  type RetentionOptions,
  retention,
  retentionDecays,
  retentionStep,
} from "../../../src/attention/linear/index.ts";
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
  (options: RetentionOptions = {}) =>
  ({ q, k, v }: Inputs) =>
    retention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, options).output;

/** scale · Σ_{s≤t} γ^{t−s} (q_t·k_s) v_s, in float64 loops. */
function oracle({ q, k, v }: ReturnType<typeof qkv>, decays: readonly number[]): Float64Array {
  const [B, H, T, D] = q.shape;
  const [, Hkv, , Dv] = v.shape;
  const [x, y, z] = [q, k, v].map((one) => one.dataSync());
  const out = new Float64Array(B * H * T * Dv);
  for (let row = 0; row < B * H * T; row++) {
    const [b, h, t] = [Math.floor(row / T / H), Math.floor(row / T) % H, row % T];
    const g = Math.floor((h * Hkv) / H);
    for (let s = 0; s <= t; s++) {
      const at = (b * Hkv + g) * T + s;
      let weight = decays[g]! ** (t - s) / Math.sqrt(D);
      let product = 0;
      for (let d = 0; d < D; d++) product += x![row * D + d]! * y![at * D + d]!;
      weight *= product;
      for (let d = 0; d < Dv; d++) out[row * Dv + d]! += weight * z![at * Dv + d]!;
    }
  }
  return out;
}

onEveryBackend("retention", () => {
  it("weighs a key by its product with the query and γ to the power of their distance", () => {
    tf.tidy(() => {
      const x = qkv(1, { B: 2, H: 6, Hkv: 3, T: 11, D: 5, Dv: 7 });
      for (const form of ["chunked", "parallel", "recurrent"] as const) {
        const decays = [0.5, 0.9, 1];
        expectClose(oracle(x, decays), call({ decays, form, chunkSize: 4 })(x), 1e-6);
        expectClose(oracle(x, retentionDecays(3)), call({ form, chunkSize: 4 })(x), 1e-6);
      }
    });
  });

  it("has the decays of RetNet's heads", () => {
    expect(retentionDecays(3)).toEqual([1 - 1 / 32, 1 - 1 / 64, 1 - 1 / 128]);
  });

  it.each(fixture("retention"))("gives what PyTorch gives in float64: $name", (one) => {
    expectFixture(one, call(one.options));
  });

  it("gives the same values and gradients in all three forms and with every chunk size, to 1e-5", () => {
    const x = qkv(4, { B: 1, H: 2, T: 23, D: 6, Dv: 3 });
    for (const options of [{}, { decays: [1, 1] }, { decays: [0.3, 0.99], xpos: true, offset: 5 }]) {
      const parallel = call({ ...options, form: "parallel" });
      for (const chunkSize of [1, 7, 22, 64]) expectSame(parallel, call({ ...options, chunkSize }), x);
      expectSame(parallel, call({ ...options, form: "recurrent" }), x);
    }
  });

  it("is the gated rule with a constant decay, and linear where γ = 1", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(7, { B: 1, H: 2, T: 7, D: 5, Dv: 3 });
      const decay = tf.tile(tf.tensor3d([Math.log(0.5), Math.log(0.75)], [1, 2, 1]), [1, 1, 7]);
      expectClose(gatedDelta(q, k, v, { decay }).output, call({ decays: [0.5, 0.75] })({ q, k, v }), 1e-6);
      expectClose(gatedDelta(q, k, v).output, call({ decays: [1, 1] })({ q, k, v }), 1e-6);
    });
  });

  it("with xpos depends on distances alone", () => {
    tf.tidy(() => {
      const x = qkv(10, { B: 1, H: 2, T: 7, D: 6, Dv: 3 });
      const at = (offset: number) => call({ xpos: true, offset })(x);
      // Angles up to 1007 have roundings of 1007·2⁻²⁴.
      expectClose(at(0), at(1000), 1007 * 2 ** -24 * 2);
      expect(at(0).dataSync()).not.toEqual(call()(x).dataSync());
    });
  });

  it.each(SIZES)("has the gradients of central differences at $B $H $T $D $Dv", (sizes) => {
    gradcheckTensors(call({ chunkSize: 2 }), qkv(13, sizes));
  });

  it("has the gradients of central differences with xpos, where steps are hidden", () => {
    const x = qkv(16, { B: 2, H: 1, T: 3, D: 2, Dv: 3 });
    gradcheckTensors(call({ chunkSize: 2, xpos: true, keyLengths: [2, 3], queryLengths: [3, 2] }), x);
  });

  it("goes on from a state, step by step as all at once, positions included", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(19, { B: 2, H: 2, T: 9, D: 6, Dv: 3 });
      const whole = retention(q, k, v, { xpos: true, chunkSize: 4, returnState: true });
      let state: tf.Tensor4D | undefined;
      const outputs: tf.Tensor4D[] = [];
      for (let t = 0; t < 9; t++) {
        const one = [q, k, v].map((x) => firstSteps(x, t, t + 1)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const step = retentionStep(...one, state, { xpos: true, offset: t });
        state = step.state;
        outputs.push(step.output);
      }
      expectClose(whole.output, tf.concat(outputs, 2), 1e-6);
      expectClose(whole.state, state!, 1e-6);
    });
  });

  it("gives a padded example what it gives alone, its state included, and NaN in padding reaches nothing", () => {
    tf.tidy(() => {
      const x = qkv(22, { B: 2, H: 2, T: 7, D: 4, Dv: 3 });
      const lengths = [7, 3];
      const options = { chunkSize: 2, xpos: true, keyLengths: lengths, queryLengths: lengths } as const;
      const padded = retention(x.q, x.k, x.v, { ...options, returnState: true });
      const alone = retention(example(x.q, 1, 3), example(x.k, 1, 3), example(x.v, 1, 3), {
        xpos: true,
        returnState: true,
      });
      expectClose(alone.output, example(padded.output, 1, 3), 1e-6);
      expectClose(alone.state, example(padded.state, 1), 1e-6);
      expect(
        firstSteps(example(padded.output, 1), 3, 7)
          .dataSync()
          .every((value) => value === 0),
      ).toBe(true);
      const hidden = (b: number, t: number) => t >= lengths[b]!;
      const dirty = { q: spoil(x.q, hidden), k: spoil(x.k, hidden), v: spoil(x.v, hidden) };
      expect(withGradients(call(options), dirty)).toEqual(withGradients(call(options), x));
    });
  });

  it("lets a key or value that is not finite reach no earlier step", () => {
    const x = qkv(25, { B: 1, H: 2, T: 5, D: 4, Dv: 2 });
    const early = (given: Inputs) => firstSteps(call({ chunkSize: 4, xpos: true })(given), 0, 2);
    const clean = withGradients(early, x);
    expect(withGradients(early, { ...x, k: spoil(x.k, (_, t) => t === 2) })).toEqual(clean);
    expect(withGradients(early, { ...x, v: spoil(x.v, (_, t) => t === 4) })).toEqual(clean);
  });

  it("leaves no tensor behind but those it returns", () => {
    const { q, k, v } = qkv(28, { B: 1, H: 2, T: 7, D: 4, Dv: 2 });
    const before = tf.memory().numTensors;
    const result = retention(q, k, v, { xpos: true, chunkSize: 2, returnState: true });
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose(result);
  });

  it("refuses decays outside (0, 1], a rotation of odd widths, and chunks of nothing", () => {
    const { q, k, v } = qkv(31, { B: 1, H: 2, T: 5, D: 3, Dv: 2 });
    expect(refusal(() => retention(q, k, v, { decays: [0.5, 1.5] }))).toBe(
      "retention: decays must be Hkv=2 numbers above 0 and at most 1, got [0.5, 1.5]; give each head's γ, as retentionDecays makes them",
    );
    for (const decays of [[0.5, 0], [0.5, -1], [0.5, Number.NaN], [0.5]]) {
      expect(refusal(() => retention(q, k, v, { decays }))).toMatch(/above 0 and at most 1/);
    }
    expect(refusal(() => retention(q, k, v, { xpos: true }))).toBe(
      "retention: xpos turns pairs of columns, so D must be even, got D=3; widen the heads by one column",
    );
    expect(refusal(() => retention(q, k, v, { chunkSize: 0 }))).toMatch(
      /chunkSize must be an integer ≥ 1, got 0/,
    );
    expect(refusal(() => retention(q, k, v, { offset: 0.5 }))).toMatch(/offset must be an integer/);
    expect(refusal(() => retention(firstSteps(q, 0, 4), k, v))).toMatch(
      /as many queries as keys, got T=4 and S=5/,
    );
    expect(refusal(() => retention(q, k, v, { state: tf.zeros([1, 2, 3, 3]) }))).toMatch(
      /state \[B, Hkv, D, Dv\] must have shape \[1, 2, 3, 2\] here, got \[1, 2, 3, 3\]/,
    );
  });
});
