import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type DeltaGates,
  type GatedDeltaOptions,
  gatedDelta,
  gatedDeltaStep,
  linearAttention,
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
  unit,
  withGradients,
} from "./linear-support.ts";

const call =
  (options: GatedDeltaOptions = {}) =>
  ({ q, k, v, decay, beta }: Inputs) =>
    gatedDelta(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { decay, beta } as DeltaGates, options)
      .output;

/** Inputs of one rule: which gates it has. */
function inputs(seed: number, sizes: Parameters<typeof qkv>[1], rule: (typeof RULES)[number]) {
  const { B, H, Hkv = H, T, D } = sizes;
  const { q, k, v } = qkv(seed, sizes);
  const rows = rule.includes("rows");
  return {
    q,
    k: unit(k),
    v,
    ...(rule.includes("gated") && { decay: between(seed + 3, rows ? [B, Hkv, T, D] : [B, Hkv, T], -0.9, 0) }),
    ...(rule.includes("delta") && { beta: between(seed + 4, [B, Hkv, T], 0, 1) }),
  } as Inputs;
}

const RULES = ["linear", "gated", "delta", "gated_delta", "gated rows", "gated_delta rows"] as const;

/** The rule itself, in float64 loops. */
function oracle(x: Inputs, keep: (b: number, t: number) => boolean = () => true): Float64Array {
  const [B, H, T, D] = x.q!.shape as [number, number, number, number];
  const [, Hkv, , Dv] = x.v!.shape as [number, number, number, number];
  const data = Object.fromEntries(Object.entries(x).map(([name, one]) => [name, one.dataSync()]));
  const perRow = x.decay && x.decay.rank === 4;
  const out = new Float64Array(B * H * T * Dv);
  for (let b = 0; b < B; b++) {
    for (let g = 0; g < Hkv; g++) {
      const state = Array.from({ length: D }, () => new Float64Array(Dv));
      for (let t = 0; t < T; t++) {
        const at = (b * Hkv + g) * T + t;
        if (keep(b, t)) {
          for (let d = 0; d < D; d++) {
            const decay = x.decay ? data.decay![perRow ? at * D + d : at]! : 0;
            for (let e = 0; e < Dv; e++) state[d]![e]! *= Math.exp(decay);
          }
          for (let e = 0; e < Dv; e++) {
            let write = data.v![at * Dv + e]!;
            if (x.beta) {
              for (let d = 0; d < D; d++) write -= state[d]![e]! * data.k![at * D + d]!;
              write *= data.beta![at]!;
            }
            for (let d = 0; d < D; d++) state[d]![e]! += data.k![at * D + d]! * write;
          }
        }
        for (let h = (g * H) / Hkv; h < ((g + 1) * H) / Hkv; h++) {
          const row = (b * H + h) * T + t;
          for (let e = 0; e < Dv; e++) {
            for (let d = 0; d < D; d++)
              out[row * Dv + e]! += (data.q![row * D + d]! * state[d]![e]!) / Math.sqrt(D);
          }
        }
      }
    }
  }
  return out;
}

onEveryBackend("the gated delta rule", () => {
  it.each(RULES)("follows its recurrence as %s, in every form", (rule) => {
    const x = inputs(1, { B: 2, H: 6, Hkv: 3, T: 13, D: 5, Dv: 7 }, rule);
    const expected = oracle(x);
    expectClose(expected, call({ form: "recurrent" })(x), 1e-6);
    expectClose(expected, call({ form: "parallel" })(x), 1e-6);
    expectClose(expected, call()(x), 1e-6);
    expectClose(expected, call({ chunkSize: 5 })(x), 1e-6);
  });

  it.each([...fixture("gated-delta"), ...fixture("gated-delta-rows")])(
    "gives what PyTorch gives in float64, and ONNX: $name",
    (one) => {
      expectFixture(one, call(one.options));
      const read = ({ shape, values }: typeof one.output) => tf.tensor(values, shape);
      const x = Object.fromEntries(Object.entries(one.inputs).map(([name, stored]) => [name, read(stored)]));
      const { q, k, v, ...gates } = x as Record<string, tf.Tensor4D>;
      const result = gatedDelta(q!, k!, v!, gates as DeltaGates, { ...one.options, returnState: true });
      expectClose(one.onnx!.values, result.output, 1e-5);
      expectClose(one.onnxState!.values, result.state, 1e-5);
    },
  );

  it.each(RULES)("gives the same values and gradients in all forms and chunk sizes to 1e-5 as %s", (rule) => {
    const x = inputs(5, { B: 1, H: 2, T: 17, D: 5, Dv: 3 }, rule);
    const recurrent = call({ form: "recurrent" });
    for (const chunkSize of [1, 2, 5, 16, 17, 64]) expectSame(recurrent, call({ chunkSize }), x);
    expectSame(recurrent, call({ form: "parallel" }), x);
    const shared = inputs(9, { B: 1, H: 4, Hkv: 2, T: 11, D: 3, Dv: 2 }, rule);
    expectSame(recurrent, call({ chunkSize: 4 }), shared);
  });

  it.each(SIZES)("has the gradients of central differences at $B $H $T $D $Dv", (sizes) => {
    gradcheckTensors(call({ chunkSize: 2 }), inputs(13, sizes, "gated_delta"), 32);
  });

  it("has the gradients of central differences with decays of rows, hidden steps and a state", () => {
    const sizes = { B: 2, H: 1, T: 3, D: 2, Dv: 3 };
    const x = { ...inputs(17, sizes, "gated_delta rows"), state: drawn(21, [2, 1, 2, 3]) } as Inputs;
    const options = { chunkSize: 2, keyLengths: [3, 2], queryLengths: [2, 3], returnState: true } as const;
    const f = ({ q, k, v, state, ...gates }: Inputs) => {
      const all = [q, k, v] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const result = gatedDelta(...all, gates as DeltaGates, { ...options, state: state as tf.Tensor4D });
      return tf.concat([tf.reshape(result.output, [-1]), tf.reshape(result.state, [-1])]);
    };
    gradcheckTensors(f, x, 32);
  });

  it("is causal linear attention without its normaliser where nothing is gated", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(23, { B: 2, H: 2, T: 7, D: 5, Dv: 3 });
      const options = { causal: true, normalize: false, featureMap: (x: tf.Tensor4D) => x, chunkSize: 3 };
      const linear = linearAttention(q, k, v, options).output;
      expectClose(linear, gatedDelta(q, k, v, {}, { scale: 1, chunkSize: 3 }).output, 1e-6);
      const open = { decay: tf.zeros([2, 2, 7]) };
      expectClose(linear, gatedDelta(q, k, v, open, { scale: 1, chunkSize: 3 }).output, 1e-6);
    });
  });

  it("reads back exactly the last value written to each of orthonormal keys where β = 1", () => {
    tf.tidy(() => {
      const order = [0, 1, 2, 3, 1, 3, 3, 0, 2, 1, 0];
      const T = order.length;
      const k = tf.tensor4d(
        order.flatMap((n) => [0, 1, 2, 3].map((d) => (d === n ? 1 : 0))),
        [1, 1, T, 4],
      );
      const v = drawn(26, [1, 1, T, 5]);
      const values = v.dataSync();
      for (const options of [{ chunkSize: 3 }, { form: "recurrent" }, {}] as GatedDeltaOptions[]) {
        const { state } = gatedDelta(
          k,
          k,
          v,
          { beta: tf.ones([1, 1, T]) },
          { ...options, scale: 1, returnState: true },
        );
        const held = [0, 1, 2, 3].flatMap((n) => {
          const t = order.lastIndexOf(n);
          return [...values.slice(t * 5, t * 5 + 5)];
        });
        // e − (e − v) rounds at most once for each of three writes.
        expectClose(held, state, 3 * 2 ** -23);
      }
    });
  });

  it("stays exact where the same key comes again and again, as a series of powers would not", () => {
    tf.tidy(() => {
      const k = unit(tf.ones([1, 1, 64, 4]));
      const v = drawn(29, [1, 1, 64, 3]);
      const x = { q: k, k, v, beta: tf.ones([1, 1, 64]) };
      expectClose(oracle(x), call({ chunkSize: 64 })(x), 1e-5);
    });
  });

  it("keeps the digits of weak decays beside one that forgets everything", () => {
    tf.tidy(() => {
      const { q, k, v } = qkv(90, { B: 1, H: 2, T: 37, D: 3, Dv: 5 });
      const at = (big: number) => Array.from({ length: 2 * 37 }, (_, n) => (n % 37 === 5 ? big : -0.3));
      for (const big of [-1e4, -1e9]) {
        const gate = tf.tensor3d(at(big), [1, 2, 37]);
        const rows = tf.tile(tf.expandDims(gate, 3), [1, 1, 1, 3]);
        for (const decay of [gate, rows]) {
          const x = { q, k: unit(k), v, decay, beta: between(93, [1, 2, 37], 0, 1) };
          // Sums of a chunk stay below 2⁷, where float32 has steps of 2⁻¹⁷.
          expectClose(call({ form: "chunked" })(x), call({ form: "recurrent" })(x), 5e-5);
        }
      }
    });
  });

  it("overflows nowhere, however strong the decays", () => {
    tf.tidy(() => {
      const sizes = { B: 1, H: 2, T: 11, D: 3, Dv: 2 };
      for (const rule of ["gated_delta", "gated_delta rows"] as const) {
        const x = inputs(32, sizes, rule);
        const given: Inputs = { ...x, decay: tf.mul(x.decay!, 200) };
        expectClose(oracle(given), call({ chunkSize: 8 })(given), 1e-6);
        for (const gradient of Object.values(withGradients(call({ chunkSize: 8 }), given).gradients)) {
          expect(gradient.every(Number.isFinite)).toBe(true);
        }
      }
    });
  });

  it.each(RULES)("goes on from a state, step by step as all at once, as %s", (rule) => {
    tf.tidy(() => {
      const x = inputs(35, { B: 2, H: 2, T: 9, D: 5, Dv: 3 }, rule);
      const part = (from: number, to: number) => {
        const { q, k, v, ...gates } = Object.fromEntries(
          Object.entries(x).map(([name, one]) => [name, firstSteps(one, from, to)]),
        ) as Record<string, tf.Tensor4D>;
        return [q!, k!, v!, gates as DeltaGates] as const;
      };
      const whole = gatedDelta(...part(0, 9), { chunkSize: 4, returnState: true });
      const early = gatedDelta(...part(0, 5), { chunkSize: 4, returnState: true });
      let { state } = early;
      const outputs = [early.output];
      for (let t = 5; t < 9; t++) {
        const step = gatedDeltaStep(...part(t, t + 1), state);
        state = step.state;
        outputs.push(step.output);
      }
      expectClose(whole.output, tf.concat(outputs, 2), 1e-6);
      expectClose(whole.state, state, 1e-6);
    });
  });

  it.each(RULES)(
    "takes hidden steps as if they were not there, and NaN in them reaches nothing, as %s",
    (rule) => {
      tf.tidy(() => {
        const x = inputs(40, { B: 2, H: 2, T: 7, D: 3, Dv: 2 }, rule);
        const lengths = [7, 3];
        const options = { chunkSize: 3, keyLengths: lengths, queryLengths: lengths };
        const f = call(options);
        const padded = f(x);
        const kept = Object.fromEntries(Object.entries(x).map(([name, one]) => [name, example(one, 1, 3)]));
        expectClose(call({ chunkSize: 3 })(kept), example(padded, 1, 3), 1e-6);
        expect(
          firstSteps(example(padded, 1), 3, 7)
            .dataSync()
            .every((value) => value === 0),
        ).toBe(true);
        const { q, k, v, ...gates } = x as Record<string, tf.Tensor4D>;
        const { state } = gatedDelta(q!, k!, v!, gates as DeltaGates, { ...options, returnState: true });
        const alone = gatedDelta(
          ...(["q", "k", "v"].map((name) => kept[name]) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]),
          { decay: kept.decay, beta: kept.beta as tf.Tensor3D | undefined },
          { returnState: true },
        );
        expectClose(alone.state, example(state, 1), 1e-6);
        const dirty = Object.fromEntries(
          Object.entries(x).map(([name, one]) => [name, spoil(one, (b, t) => t >= lengths[b]!)]),
        );
        expect(withGradients(f, dirty)).toEqual(withGradients(f, x));
        const allow = tf.tensor2d([1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1], [2, 7], "bool");
        const seen = allow.dataSync();
        expectClose(
          oracle(x, (b, t) => seen[b * 7 + t] === 1),
          call({ chunkSize: 3, keyAllow: allow })(x),
          1e-6,
        );
      });
    },
  );

  it("lets an input that is not finite reach no earlier step", () => {
    const x = inputs(45, { B: 2, H: 2, T: 5, D: 3, Dv: 2 }, "gated_delta");
    const f = call({ chunkSize: 4 });
    const early = (given: Inputs) => firstSteps(f(given), 0, 2);
    const clean = withGradients(early, x);
    for (const name of ["k", "v", "decay", "beta"]) {
      const dirty = { ...x, [name]: spoil(x[name]!, (b, t) => b === 0 && t === 2) };
      expect(
        example(firstSteps(f(dirty), 2, 5), 0)
          .dataSync()
          .every(Number.isNaN),
      ).toBe(true);
      expect(withGradients(early, dirty)).toEqual(clean);
    }
  });

  it("leaves no tensor behind but those it returns", () => {
    const { q, k, v, ...gates } = inputs(48, { B: 1, H: 2, T: 7, D: 3, Dv: 2 }, "gated_delta") as Record<
      string,
      tf.Tensor4D
    >;
    const before = tf.memory().numTensors;
    tf.dispose(gatedDelta(q!, k!, v!, gates as DeltaGates, { chunkSize: 2, returnState: true }));
    expect(tf.memory().numTensors).toBe(before);
    const result = gatedDelta(q!, k!, v!, gates as DeltaGates);
    expect(tf.memory().numTensors).toBe(before + 1);
    tf.dispose(result);
  });

  it("refuses gates and states of other shapes, and chunks of nothing", () => {
    const { q, k, v } = qkv(51, { B: 2, H: 4, Hkv: 2, T: 5, D: 3, Dv: 2 });
    const same = "; each letter must mean the same size in all inputs";
    expect(refusal(() => gatedDelta(q, k, v, { decay: tf.zeros([2, 4, 5]) }))).toBe(
      `gatedDelta: decay [B, Hkv, T] or [B, Hkv, T, D] must have shape [2, 2, 5] or [2, 2, 5, 3] here, got [2, 4, 5]${same}`,
    );
    expect(refusal(() => gatedDelta(q, k, v, { beta: tf.zeros([2, 2, 4]) }))).toBe(
      `gatedDelta: beta [B, Hkv, T] must have shape [2, 2, 5] here, got [2, 2, 4]${same}`,
    );
    expect(refusal(() => gatedDelta(q, k, v, {}, { state: tf.zeros([2, 2, 3, 3]) }))).toBe(
      `gatedDelta: state [B, Hkv, D, Dv] must have shape [2, 2, 3, 2] here, got [2, 2, 3, 3]${same}`,
    );
    expect(refusal(() => gatedDelta(q, k, v, {}, { chunkSize: 0.5 }))).toBe(
      "gatedDelta: chunkSize must be an integer ≥ 1, got 0.5; choose one in that range or leave it out",
    );
    expect(refusal(() => gatedDelta(q, k, v, {}, { scale: Number.NaN }))).toBe(
      "gatedDelta: scale must be a finite number, got NaN; choose one in that range or leave it out",
    );
    expect(refusal(() => gatedDelta(firstSteps(q, 0, 4), k, v))).toMatch(
      /as many queries as keys, got T=4 and S=5/,
    );
    expect(refusal(() => gatedDelta(drawn(1, [2, 3, 5, 3]), k, v))).toMatch(
      /must be a multiple of key\/value heads Hkv=2/,
    );
  });
});
