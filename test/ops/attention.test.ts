/** One op on three kinds of backend: plain loops on cpu, TensorFlow.js ops on wasm, kernels on heed. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { referenceAttentionGradients } from "../../src/kernels/reference.ts";
import { type AttentionOptions, attention } from "../../src/ops/index.ts";
import { floats, holes, makeCase, normal } from "../kernels/cases.ts";
import {
  B,
  BACKENDS,
  expectReference,
  far,
  H,
  type HostOptions,
  largest,
  OPTIONS,
  type Order,
  reorder,
  S,
  SHAPES,
  T,
  tensor,
} from "./attention-support.ts";

function expectWeightsGradients(options: HostOptions, layout: Order): void {
  const { D, Dv, Hkv } = SHAPES;
  const wide = { ...SHAPES, Dv: Dv + S };
  const c = makeCase(SHAPES, { ...options, onEmptyRow: "zero" }, 60);
  const q = Float64Array.from(c.q, (x) => (Number.isNaN(x) ? 0 : x));
  const k = Float64Array.from(c.k, (x) => (Number.isNaN(x) ? 0 : x));
  const dweights = normal(61, B * H * T * S);
  const dout = Float64Array.from(c.dout, (x) => (Number.isNaN(x) ? 0 : x));
  const v = Float64Array.from(c.v, (x) => (Number.isNaN(x) ? 0 : x));
  // v and dout with S more columns.
  const widen = (x: Float64Array, more: (row: number, s: number) => number) =>
    Float64Array.from({ length: (x.length / Dv) * (Dv + S) }, (_, e) => {
      const [row, column] = [Math.floor(e / (Dv + S)), e % (Dv + S)];
      return column < Dv ? x[row * Dv + column]! : more(row, column - Dv);
    });
  const all = {
    q,
    k,
    v: widen(v, (row, s) => (row % S === s ? 1 : 0)),
  };
  const program = { ...c.program, shapes: wide, onEmptyRow: options.onEmptyRow ?? "zero" };
  const expected = referenceAttentionGradients(
    program,
    all,
    widen(dout, (row, s) => dweights[row * S + s]!),
    c.dlse,
  );
  const actual = tf.tidy(() => {
    const place = (x: Float64Array, name: "q" | "k" | "v" | "out") => {
      const moved = reorder(Float32Array.from(x), name, SHAPES, ["bhtd", layout]);
      return tf.tensor(moved.values, moved.shape);
    };
    const { allow, bias, sink, ...rest } = options;
    const names = ["bias", "sink"].filter((name) => typeof options[name as "bias"] === "object");
    const [DOUT, DLSE] = [place(dout, "out"), tf.tensor(c.dlse, [B, H, T])];
    const loss = (...x: tf.Tensor[]) => {
      const [q4, k4, v4, ...learned] = x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const given = Object.fromEntries(names.map((name, n) => [name, learned[n]]));
      const asked = {
        ...rest,
        ...(allow && { allow: tensor(allow) }),
        ...given,
        layout,
        weights: true,
        lse: true,
      };
      const result = attention(q4, k4, v4, asked as AttentionOptions & { weights: true; lse: true });
      const lse = tf.where(tf.isFinite(result.lse), result.lse, 0);
      const terms: [tf.Tensor, tf.Tensor][] = [
        [result.output, DOUT],
        [lse, DLSE],
        [result.weights, tf.tensor(dweights, [B, H, T, S])],
      ];
      return tf.addN(terms.map(([y, dy]) => tf.sum(tf.mul(y, dy))));
    };
    const learned = names.map((name) => tensor(options[name as "bias"]!));
    const grads = tf.grads(loss)([place(q, "q"), place(k, "k"), place(v, "v"), ...learned]);
    return grads.map((x) => x.dataSync() as Float32Array);
  });
  expect(actual.length).toBe(
    3 + ["bias", "sink"].filter((name) => typeof options[name as "bias"] === "object").length,
  );
  const back = (n: number, name: "q" | "k" | "v") =>
    reorder(actual[n]!, name, SHAPES, [layout, "bhtd"]).values;
  expect(far(back(0, "q"), expected.dq)).toBeLessThanOrEqual(1e-5 * largest(expected.dq));
  expect(far(back(1, "k"), expected.dk)).toBeLessThanOrEqual(1e-5 * largest(expected.dk));
  const own = expected.dv.filter((_, e) => e % (Dv + S) < Dv);
  expect(far(back(2, "v"), own)).toBeLessThanOrEqual(1e-5 * largest(own));
  expect(own.length).toBe(B * Hkv * S * Dv);
  expect(D).toBe(11);
  const learned = [expected.dbias && options.bias, typeof options.sink === "object"] as const;
  let n = 3;
  if (learned[0])
    expect(far(actual[n++]!, expected.dbias!)).toBeLessThanOrEqual(1e-5 * largest(expected.dbias!));
  if (learned[1])
    expect(far(actual[n]!, expected.dsink!)).toBeLessThanOrEqual(1e-5 * largest(expected.dsink!));
}

describe.each(BACKENDS)("attention on %s", (_, use) => {
  beforeAll(async () => void (await use()));

  it.each(OPTIONS)(
    "equals the float64 reference with %s, in values and gradients, in both layouts",
    (_, options) => {
      const c = makeCase(SHAPES, options, 40);
      for (const layout of ["bhtd", "bthd"] as const) expectReference(c, options, layout);
    },
  );

  it.each([1, 6, 7])("equals the reference over several blocks of keys, T = %i", (T) => {
    const shapes = { B: 1, T, S: 101, H: 2, Hkv: 1, D: 17, Dv: 9 };
    for (const options of [{}, { causal: "bottomRight", keyLengths: [99] }] as HostOptions[]) {
      expectReference(makeCase(shapes, options, 50), options, "bthd");
    }
  });

  it("equals the reference on random option sets", () => {
    const maybe = <X>(x: fc.Arbitrary<X>) => fc.option(x, { nil: undefined });
    const sizes = fc.record({
      ...{
        B: fc.integer({ min: 1, max: 3 }),
        T: fc.integer({ min: 1, max: 9 }),
        S: fc.integer({ min: 1, max: 29 }),
      },
      ...{ groups: fc.integer({ min: 1, max: 3 }), Hkv: fc.integer({ min: 1, max: 2 }) },
      ...{ D: fc.integer({ min: 1, max: 19 }), Dv: fc.integer({ min: 1, max: 19 }) },
    });
    const program = fc.record({
      ...{
        causal: maybe(fc.constantFrom("topLeft" as const, "bottomRight" as const)),
        softCap: maybe(fc.constant(2)),
      },
      ...{
        padded: fc.boolean(),
        hidden: fc.boolean(),
        biased: fc.boolean(),
        sunk: fc.boolean(),
        seed: fc.nat(999),
      },
      layout: fc.constantFrom("bhtd" as const, "bthd" as const),
    });
    const property = fc.property(sizes, program, ({ groups, ...rest }, p) => {
      const shapes = { ...rest, H: groups * rest.Hkv };
      const { B, T, S, H } = shapes;
      const options: HostOptions = {
        ...(p.causal && { causal: p.causal }),
        ...(p.softCap && { softCap: p.softCap }),
        ...(p.padded && {
          keyLengths: Array.from({ length: B }, (_, b) => (p.seed + 7 * b) % (S + 1)),
          queryLengths: Array.from({ length: B }, (_, b) => (p.seed + 3 * b) % (T + 1)),
        }),
        ...(p.hidden && { allow: holes(p.seed, [B, 1, T, S]) }),
        ...(p.biased && { bias: floats(p.seed, [H, T, S].length === 3 ? [1, H, 1, S] : []) }),
        ...(p.sunk && { sink: floats(p.seed, [H]) }),
      };
      expectReference(makeCase(shapes, options, 2000 + p.seed), options, p.layout);
    });
    fc.assert(property, { numRuns: 25, seed: 5 });
  });

  it("has exact gradients through the weights, beside those through output and lse", () => {
    // Σ dweights·weights is the gradient of an attention with Dv more values: identity rows, that copy the weights out.
    for (const options of [
      {},
      { softCap: 1.5, bias: floats(31, [T, S]), keyLengths: [4, 7], causal: "bottomRight" },
      { sink: floats(32, [H]), allow: holes(33, [B, H, T, S], true), queryLengths: [5, 3] },
      { sink: floats(34, [H]), allow: holes(35, [T, S], true), onEmptyRow: "uniform" },
    ] as HostOptions[]) {
      for (const layout of ["bhtd", "bthd"] as const) expectWeightsGradients(options, layout);
    }
  });

  it("passes gradients of weights that are none", () => {
    if (tf.getBackend() === "wasm") return; // The stock backend is unsound where a length is 0.
    tf.tidy(() => {
      const [q, k, v] = [
        tf.ones([1, 2, 3, 4]),
        tf.zeros([1, 2, 0, 4]),
        tf.zeros([1, 2, 0, 4]),
      ] as tf.Tensor4D[];
      const weights = (x: tf.Tensor) => attention(x as tf.Tensor4D, k!, v!, { weights: true }).weights;
      const dq = tf.grad(weights)(q!, tf.zeros([1, 2, 3, 0]));
      expect(Array.from(dq.dataSync())).toEqual(new Array(24).fill(0));
    });
  });
});
