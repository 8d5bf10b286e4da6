import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  eluFeatures,
  type LinearAttentionOptions,
  linearAttention,
  linearAttentionStep,
} from "../../../src/attention/linear/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import {
  between,
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

const call = (options: LinearAttentionOptions) => (x: Inputs) =>
  linearAttention(x.q as tf.Tensor4D, x.k as tf.Tensor4D, x.v as tf.Tensor4D, options).output;

/** Σ_s φ(q)·φ(k) v / Σ_s φ(q)·φ(k) in float64 loops; `sees` tells which keys count. */
function oracle(
  { q, k, v }: ReturnType<typeof qkv>,
  sees: (b: number, t: number, s: number) => boolean,
): Float64Array {
  const [B, H, T, D] = q.shape;
  const [, Hkv, S, Dv] = v.shape;
  const [x, y, z] = [q, k, v].map((one) => one.dataSync());
  const phi = (value: number) => (value > 0 ? value + 1 : Math.exp(value));
  const out = new Float64Array(B * H * T * Dv);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const g = b * Hkv + Math.floor((h * Hkv) / H);
      for (let t = 0; t < T; t++) {
        const row = (b * H + h) * T + t;
        let total = 0;
        for (let s = 0; s < S; s++) {
          if (!sees(b, t, s)) continue;
          let weight = 0;
          for (let d = 0; d < D; d++) weight += phi(x![row * D + d]!) * phi(y![(g * S + s) * D + d]!);
          total += weight;
          for (let d = 0; d < Dv; d++) out[row * Dv + d]! += weight * z![(g * S + s) * Dv + d]!;
        }
        if (total > 0) for (let d = 0; d < Dv; d++) out[row * Dv + d]! /= total;
      }
    }
  }
  return out;
}

onEveryBackend("linear attention", () => {
  it("is the mean of the values by φ(q)·φ(k), for all keys, causal, padded, and heads that share keys", () => {
    tf.tidy(() => {
      const x = qkv(1, { B: 2, H: 6, Hkv: 3, T: 7, S: 11, D: 5, Dv: 13 });
      expectClose(
        oracle(x, () => true),
        call({})(x),
        1e-6,
      );
      const lengths = [11, 4];
      expectClose(
        oracle(x, (b, _, s) => s < lengths[b]!),
        call({ keyLengths: lengths })(x),
        1e-6,
      );
      const square = qkv(4, { B: 2, H: 6, Hkv: 3, T: 11, D: 5, Dv: 13 });
      const causal = oracle(square, (_, t, s) => s <= t);
      expectClose(causal, call({ causal: true, chunkSize: 4 })(square), 1e-6);
      expectClose(causal, call({ causal: true, form: "recurrent" })(square), 1e-6);
      const allow = tf.tensor2d(
        Array.from({ length: 22 }, (_, e) => e % 3 === 0),
        [2, 11],
        "bool",
      );
      const seen = (b: number, t: number, s: number) => s <= t && (b * 11 + s) % 3 === 0;
      expectClose(oracle(square, seen), call({ causal: true, keyAllow: allow, chunkSize: 4 })(square), 1e-6);
    });
  });

  it.each(fixture("linear"))("gives what PyTorch gives in float64: $name", (one) => {
    expectFixture(one, call(one.options));
  });

  it("gives the same values and gradients in all three forms and with every chunk size, to 1e-5", () => {
    const x = qkv(7, { B: 1, H: 2, T: 23, D: 5, Dv: 3 });
    const parallel = call({ causal: true, form: "parallel" });
    for (const chunkSize of [1, 2, 7, 11, 22, 23, 64]) {
      expectSame(parallel, call({ causal: true, chunkSize }), x);
    }
    expectSame(parallel, call({ causal: true, form: "recurrent" }), x);
    const shared = qkv(10, { B: 1, H: 4, Hkv: 2, T: 13, D: 5, Dv: 3 });
    expectSame(parallel, call({ causal: true, chunkSize: 5 }), shared);
    expectSame(parallel, call({ causal: true, form: "recurrent" }), shared);
    const raw = { causal: true, normalize: false } as const;
    expectSame(call({ ...raw, form: "parallel" }), call({ ...raw, chunkSize: 5 }), shared);
  });

  it.each(SIZES)("has the gradients of central differences at $B $H $T $D $Dv", (sizes) => {
    const x = qkv(13, sizes);
    gradcheckTensors(call({}), x);
    gradcheckTensors(call({ causal: true, chunkSize: 2 }), x);
  });

  it("has the gradients of central differences where keys and queries are hidden", () => {
    const x = qkv(16, { B: 2, H: 1, T: 3, D: 5, Dv: 2 });
    gradcheckTensors(call({ keyLengths: [2, 3], queryLengths: [3, 1] }), x);
    gradcheckTensors(call({ causal: true, chunkSize: 2, keyLengths: [2, 0] }), x);
  });

  it("goes on from the state that an earlier call returned, step by step as all at once", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(19, { B: 2, H: 2, T: 11, D: 5, Dv: 3 });
      const whole = linearAttention(q, k, v, { causal: true, chunkSize: 3, returnState: true });
      const part = (from: number, to: number) =>
        [q, k, v].map((x) => firstSteps(x, from, to)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const early = linearAttention(...part(0, 7), { causal: true, chunkSize: 3, returnState: true });
      let state = early.state;
      const outputs = [early.output];
      for (let t = 7; t < 11; t++) {
        const step = linearAttentionStep(...part(t, t + 1), state);
        state = step.state;
        outputs.push(step.output);
      }
      expectClose(whole.output, tf.concat(outputs, 2), 1e-6);
      expectClose(whole.state, state, 1e-6);
      const first = linearAttentionStep(...part(0, 1));
      expectClose(firstSteps(whole.output, 0, 1), first.output, 1e-6);
    });
  });

  it("passes gradients through a state", () => {
    const x = { ...qkv(22, { B: 1, H: 2, T: 5, D: 3, Dv: 2 }), state: between(25, [1, 2, 3, 3], 0.5, 2) };
    const f = (form: "chunked" | "recurrent") => (given: Inputs) => {
      const { q, k, v, state } = given as Record<string, tf.Tensor4D>;
      const options = { causal: true, chunkSize: 2, form, state: state!, returnState: true } as const;
      const result = linearAttention(q!, k!, v!, options);
      return tf.concat([tf.reshape(result.output, [-1]), tf.reshape(result.state, [-1])]);
    };
    expectSame(f("recurrent"), f("chunked"), x);
    gradcheckTensors(f("chunked"), x);
  });

  it("gives a padded example what it gives alone, and a query without a key 0", () => {
    tf.tidy(() => {
      const x = qkv(26, { B: 3, H: 2, T: 7, D: 5, Dv: 3 });
      const lengths = [7, 3, 0];
      for (const options of [{}, { causal: true, chunkSize: 2 }] as LinearAttentionOptions[]) {
        const padded = call({ ...options, keyLengths: lengths, queryLengths: lengths })(x);
        const alone = call(options)({ q: example(x.q, 1, 3), k: example(x.k, 1, 3), v: example(x.v, 1, 3) });
        expectClose(alone, example(padded, 1, 3), 1e-6);
        expect(
          firstSteps(example(padded, 1), 3, 7)
            .dataSync()
            .every((value) => value === 0),
        ).toBe(true);
        const empty = call({ ...options, keyLengths: lengths })(x);
        expect(
          example(empty, 2)
            .dataSync()
            .every((value) => value === 0),
        ).toBe(true);
      }
    });
  });

  it("lets NaN in hidden keys, values and queries reach nothing, gradients included", () => {
    const x = qkv(29, { B: 2, H: 2, T: 5, D: 3, Dv: 2 });
    const lengths = [5, 2];
    const hidden = (b: number, t: number) => t >= lengths[b]!;
    const dirty = { q: spoil(x.q, hidden), k: spoil(x.k, hidden), v: spoil(x.v, hidden) };
    for (const options of [{}, { causal: true, chunkSize: 2 }] as LinearAttentionOptions[]) {
      const f = call({ ...options, keyLengths: lengths, queryLengths: lengths });
      const [clean, spoiled] = [withGradients(f, x), withGradients(f, dirty)];
      expect(spoiled).toEqual(clean);
    }
  });

  it("lets a key or value that is not finite reach no earlier step, in values and gradients", () => {
    const x = qkv(32, { B: 2, H: 2, T: 5, D: 3, Dv: 2 });
    const at = (b: number, t: number) => b === 0 && t === 2;
    const f = call({ causal: true, chunkSize: 4 });
    const early = (given: Inputs) => firstSteps(f(given), 0, 2);
    const clean = withGradients(early, x);
    for (const dirty of [
      { ...x, k: spoil(x.k, at) },
      { ...x, v: spoil(x.v, at) },
    ]) {
      const output = f(dirty);
      expect(
        example(firstSteps(output, 2, 5), 0)
          .dataSync()
          .every(Number.isNaN),
      ).toBe(true);
      expectClose(example(f(x), 1), example(output, 1), 0);
      expect(withGradients(early, dirty)).toEqual(clean);
    }
  });

  it("returns weights whose rows sum to 1 and give the output, where they are asked for", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(35, { B: 2, H: 4, Hkv: 2, T: 5, D: 3, Dv: 2 });
      const { output, weights } = linearAttention(q, k, v, {
        causal: true,
        weights: true,
        keyLengths: [5, 3],
      });
      expect(weights.shape).toEqual([2, 4, 5, 5]);
      expectClose(tf.ones([2 * 4 * 5]), tf.sum(weights, 3), 1e-6);
      const repeated = tf.reshape(tf.tile(tf.expandDims(v, 2), [1, 1, 2, 1, 1]), [2, 4, 5, 2]);
      expectClose(output, tf.matMul(weights, repeated), 1e-6);
      expect(firstSteps(weights, 0, 1).dataSync()[1]).toBe(0);
      const early = linearAttention(firstSteps(q, 0, 2), firstSteps(k, 0, 2), firstSteps(v, 0, 2), {
        causal: true,
        returnState: true,
      });
      const rest = [q, k, v].map((x) => firstSteps(x, 2, 5)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const late = linearAttention(...rest, { causal: true, weights: true, state: early.state });
      const whole = linearAttention(q, k, v, { causal: true, weights: true }).weights;
      expectClose(tf.slice(whole, [0, 0, 2, 2], [2, 4, 3, 3]), late.weights, 1e-6);
    });
  });

  it("takes any feature map, of any width", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(38, { B: 1, H: 2, T: 7, D: 3, Dv: 2 });
      const featureMap = (x: tf.Tensor4D) => tf.concat([tf.relu(x), tf.relu(tf.neg(x))], 3) as tf.Tensor4D;
      const { output, state } = linearAttention(q, k, v, {
        featureMap,
        causal: true,
        chunkSize: 3,
        returnState: true,
      });
      expect(state.shape).toEqual([1, 2, 6, 3]);
      const parallel = linearAttention(q, k, v, { featureMap, causal: true, form: "parallel" });
      expectClose(parallel.output, output, 1e-6);
    });
  });

  it("keeps the digits of features far below 0", () => {
    tf.tidy(() => {
      const x = tf.tensor1d([-20, -1, 0, 2]);
      const expected = [Math.exp(-20), Math.exp(-1), 1, 3];
      eluFeatures(x)
        .dataSync()
        .forEach((value, n) => {
          expect(Math.abs(value / expected[n]! - 1)).toBeLessThanOrEqual(1e-6);
        });
      expect(tf.grad(eluFeatures)(x).dataSync()[2]).toBe(1);
    });
  });

  it("leaves no tensor behind but those it returns", () => {
    const { q, k, v } = qkv(41, { B: 1, H: 2, T: 7, D: 3, Dv: 2 });
    const before = tf.memory().numTensors;
    const all = linearAttention(q, k, v, { causal: true, chunkSize: 2, returnState: true, weights: true });
    expect(tf.memory().numTensors).toBe(before + 3);
    tf.dispose(all);
    tf.dispose(linearAttention(q, k, v, { keyLengths: [4] }));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("never stores what grows with T·S", async () => {
    const { q, k, v } = qkv(44, { B: 1, H: 1, T: 512, D: 4, Dv: 4 });
    for (const options of [{}, { causal: true, chunkSize: 32 }]) {
      const { kernels } = await tf.profile(() => linearAttention(q, k, v, options).output);
      const largest = Math.max(
        ...kernels.flatMap(({ outputShapes }) =>
          outputShapes.map((shape) => shape.reduce((n, m) => n * m, 1)),
        ),
      );
      expect(largest).toBeLessThanOrEqual(512 * 32);
    }
  });

  it("refuses what does not fit, and says what would", () => {
    const { q, k, v } = qkv(47, { B: 2, H: 3, T: 5, D: 3, Dv: 2 });
    const short = firstSteps(q, 0, 4);
    expect(refusal(() => linearAttention(q, k, v, { causal: true, chunkSize: 0 }))).toBe(
      "linearAttention: chunkSize must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    );
    expect(refusal(() => linearAttention(short, k, v, { causal: true }))).toBe(
      "linearAttention: a recurrence must have as many queries as keys, got T=4 and S=5; pass earlier keys as the state that their call returned",
    );
    expect(refusal(() => linearAttention(firstSteps(q, 0, 0), k, v))).toBe(
      "linearAttention: there must be T ≥ 1 queries and S ≥ 1 keys, got T=0 and S=5; leave empty sequences out",
    );
    expect(refusal(() => linearAttention(q, k, v, { causal: true, state: drawn(1, [2, 3, 4, 3]) }))).toBe(
      "linearAttention: state [B, Hkv, Dφ, Dv + 1] must have shape [2, 3, 3, 3] here, got [2, 3, 4, 3]; each letter must mean the same size in all inputs",
    );
    expect(refusal(() => linearAttention(q, drawn(1, [2, 3, 5, 4]), v))).toBe(
      "linearAttention: q [B, H, T, D] and k [B, Hkv, S, D] must have the same D, got shapes [2, 3, 5, 3] and [2, 3, 5, 4]; make their D equal",
    );
    expect(refusal(() => linearAttention(tf.zeros([3, 5]) as never, k, v))).toBe(
      "linearAttention: q [B, H, T, D] must have rank 4, got shape [3, 5]; reshape it first",
    );
    expect(refusal(() => linearAttention(q, k, v, { causal: true, form: "fast" as never }))).toBe(
      'linearAttention: form must be "chunked" or "parallel" or "recurrent", got fast; choose one of them',
    );
    expect(refusal(() => linearAttention(q, k, v, { keyLengths: [6, 1] }))).toBe(
      "linearAttention: keyLengths must be B=2 integers from 0 to 5, got [6, 1]; give one length per example",
    );
    expect(refusal(() => linearAttention(q, k, v, { keyAllow: tf.ones([2, 4], "bool") }))).toBe(
      "linearAttention: keyAllow [B, S] must have shape [2, 5] here, got [2, 4]; each letter must mean the same size in all inputs",
    );
    expect(refusal(() => linearAttention(q, k, v, { returnState: true }))).toBe(
      "linearAttention: state and returnState must come with causal: true, got causal: false; without it all keys come at once",
    );
    const raw = { causal: true, normalize: false, state: drawn(1, [2, 3, 3, 3]) } as const;
    expect(refusal(() => linearAttention(q, k, v, raw))).toMatch(
      /state \[B, Hkv, Dφ, Dv\] must have shape \[2, 3, 3, 2\]/,
    );
    expect(refusal(() => linearAttention(q, k, v, { keyAllow: tf.ones([2, 5]) }))).toMatch(
      /allow must be bool/,
    );
  });
});
