import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type SoftAttentionOptions, softAttention } from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import type { AttentionShapes, HostArray } from "../../../src/core/notation.ts";
import { compileProgram, type ProgramOptions } from "../../../src/core/program.ts";
import { referenceAttention, referenceAttentionGradients } from "../../../src/kernels/reference.ts";
import fixtures from "../../fixtures/attention/soft-attention.json" with { type: "json" };
import { distance, onEveryBackend, onPlainKernels, random, randomAllow, tensor } from "../support.ts";

const SHAPES: AttentionShapes = { B: 2, T: 5, S: 7, H: 6, Hkv: 3, D: 11, Dv: 13 };
type HostOptions = ProgramOptions<HostArray>;

function inputs({ B, T, S, H, Hkv, D, Dv }: AttentionShapes = SHAPES) {
  return { q: random(1, [B, H, T, D]), k: random(2, [B, Hkv, S, D]), v: random(3, [B, Hkv, S, Dv]) };
}

/** An allow mask of 60 %, with row 2 of every head empty. */
function holes(): HostArray {
  const { B, T, S } = SHAPES;
  const mask = randomAllow(4, [B, 1, T, S], 0.6);
  const values = Uint8Array.from(mask.values, (allowed, e) => (Math.floor(e / S) % T === 2 ? 0 : allowed));
  return { ...mask, values };
}

const EVERY_OPTION: [string, HostOptions][] = [
  ["nothing", {}],
  ["scale 0", { scale: 0 }],
  ["allow with an empty row", { allow: holes() }],
  ["a bias for every example", { bias: random(5, [2, 1, 5, 7]) }],
  ["a bias of two axes", { bias: random(6, [5, 7]) }],
  ["causality from the top left", { causal: "topLeft" }],
  ["causality from the bottom right", { causal: "bottomRight" }],
  ["a window beyond the keys", { window: { left: 1, right: 0 }, queryOffset: 4 }],
  ["lengths, one of them 0", { keyLengths: [0, 5], queryLengths: [5, 3] }],
  ["a soft-cap", { softCap: 1.5 }],
  ["one sink", { sink: 0.3, keyLengths: [0, 5] }],
  ["a sink per head", { sink: random(7, [6]), causal: "topLeft" }],
  ["dropout", { dropout: { rate: 0.3, seed: 7 }, training: true }],
  ["dropout outside training", { dropout: { rate: 0.3, seed: 7 } }],
  ["uniform empty rows", { allow: holes(), onEmptyRow: "uniform", keyLengths: [6, 5] }],
  [
    "everything at once",
    {
      scale: 0.4,
      allow: holes(),
      bias: random(8, [1, 6, 5, 7]),
      causal: true,
      queryOffset: 3,
      window: { left: 4 },
      queryLengths: [4, 5],
      keyLengths: [7, 6],
      softCap: 2,
      sink: random(9, [6]),
      dropout: { rate: 0.2, seed: 11 },
      training: true,
    },
  ],
];

function onDevice({ allow, bias, sink, ...rest }: HostOptions): SoftAttentionOptions {
  return {
    ...rest,
    ...(allow ? { allow: tensor(allow) } : {}),
    ...(bias ? { bias: tensor(bias) } : {}),
    ...(sink === undefined ? {} : { sink: typeof sink === "number" ? sink : tensor(sink) }),
  };
}

function run(x: { q: HostArray; k: HostArray; v: HostArray }, options: SoftAttentionOptions = {}) {
  return softAttention(tensor(x.q), tensor(x.k), tensor(x.v), { ...options, weights: true, lse: true });
}

const values = ({ q, k, v }: ReturnType<typeof inputs>) => ({ q: q.values, k: k.values, v: v.values });

function softAttentionTests(): void {
  it.each(fixtures.map((fixture) => [fixture.name, fixture] as const))(
    "equals the NumPy float64 vectors of SDPA and ONNX Attention to 1e-6: %s",
    (_, fixture) => {
      tf.tidy(() => {
        const array = (
          { shape, values }: { shape: number[]; values: (number | null)[] },
          dtype = "float32",
        ) => ({
          shape,
          dtype,
          values: values.map((n) => n ?? -Infinity),
        });
        const { allow, bias, ...rest } = fixture.options as Record<string, Parameters<typeof array>[0]>;
        const options = onDevice({
          ...(rest as HostOptions),
          ...(allow ? { allow: array(allow, "bool") } : {}),
          ...(bias ? { bias: array(bias) } : {}),
        });
        const result = run({ q: array(fixture.q), k: array(fixture.k), v: array(fixture.v) }, options);
        for (const name of ["output", "weights", "lse"] as const) {
          expect(result[name].shape).toEqual(fixture[name].shape);
          expect(distance(result[name].dataSync(), array(fixture[name]).values), name).toBeLessThanOrEqual(
            1e-6,
          );
        }
      });
    },
  );

  it.each(EVERY_OPTION)(
    "equals the float64 reference with %s, forward and in every gradient",
    (_, options) => {
      tf.tidy(() => {
        const x = inputs();
        const program = compileProgram("test", SHAPES, options);
        const expected = referenceAttention(program, values(x));
        const { output, weights, lse } = run(x, onDevice(options));
        // Scores up to |s| ≈ 20 are rounded once before exp, so weights err by 20·2⁻²⁴ of themselves.
        expect(distance(output.dataSync(), expected.output)).toBeLessThanOrEqual(3e-6);
        expect(distance(weights.dataSync(), expected.weights)).toBeLessThanOrEqual(1.2e-6);
        expect(distance(lse.dataSync(), expected.lse)).toBeLessThanOrEqual(3e-6);

        const dout = random(10, output.shape);
        const tensors = onDevice(options);
        const names = ["bias", "sink"].filter((name) => tensors[name as "bias"] instanceof tf.Tensor);
        const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, ...learned: tf.Tensor[]) =>
          softAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
            ...tensors,
            ...Object.fromEntries(names.map((name, n) => [name, learned[n]])),
          }).output;
        const learned = names.map((name) => tensors[name as "bias"]!);
        const actual = tf.grads(f)([tensor(x.q), tensor(x.k), tensor(x.v), ...learned], tensor(dout));
        const gradients = referenceAttentionGradients(program, values(x), dout.values);
        for (const [n, name] of ["q", "k", "v", ...names].entries()) {
          const oracle = gradients[`d${name}` as "dq"];
          const size = Math.max(1, ...oracle.map(Math.abs));
          expect(distance(actual[n]!.dataSync(), oracle), name).toBeLessThanOrEqual(4e-6 * size);
        }
      });
    },
  );

  it("has a log-sum-exp whose gradient equals the reference's", () => {
    tf.tidy(() => {
      const x = inputs();
      const options: HostOptions = { keyLengths: [0, 5], causal: "topLeft" };
      const f = (q: tf.Tensor, k: tf.Tensor) =>
        softAttention(q as tf.Tensor4D, k as tf.Tensor4D, tensor(x.v), { ...onDevice(options), lse: true })
          .lse;
      const dlse = random(11, [2, 6, 5]);
      const [dq, dk] = tf.grads(f)([tensor(x.q), tensor(x.k)], tensor(dlse));
      const nothing = new Float64Array(2 * 6 * 5 * 13);
      const program = compileProgram("test", SHAPES, options);
      const oracle = referenceAttentionGradients(program, values(x), nothing, dlse.values);
      expect(distance(dq!.dataSync(), oracle.dq)).toBeLessThanOrEqual(4e-6);
      expect(distance(dk!.dataSync(), oracle.dk)).toBeLessThanOrEqual(4e-6);
    });
  });

  it("has rows of weights that sum to 1 within 1e-6", () => {
    tf.tidy(() => {
      const sums = tf.sum(run(inputs(), { causal: "bottomRight" }).weights, -1).dataSync();
      expect(distance(sums, new Float32Array(sums.length).fill(1))).toBeLessThanOrEqual(1e-6);
    });
  });

  it("gives the same bits whether or not the weights are asked for", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const alone = softAttention(tensor(q), tensor(k), tensor(v), { causal: "topLeft" });
      expect(alone.weights).toBeUndefined();
      expect(alone.output.dataSync()).toEqual(run(inputs(), { causal: "topLeft" }).output.dataSync());
    });
  });

  it("is one kernel, forward and backward, and one more for the weights", async () => {
    const { q, k, v } = inputs();
    const names = async (f: () => tf.Tensor) =>
      (await tf.profile(f)).kernels.map(({ name }) => name).filter((name) => name.includes("Attention"));
    const call = (x: tf.Tensor, options: SoftAttentionOptions = {}) =>
      softAttention(x as tf.Tensor4D, tensor(k), tensor(v), { causal: "topLeft", ...options }).output;
    expect(await names(() => tf.grad((x) => call(x))(tensor(q)))).toEqual([
      "HeedAttention",
      "HeedAttentionGrad",
    ]);
    const weighed = await names(() => call(tensor(q), { weights: true }));
    expect(weighed).toEqual(["HeedAttention", "HeedAttentionWeights"]);
  });

  it("lets NaN in hidden keys, values and queries reach no output, no weight and no gradient", () => {
    tf.tidy(() => {
      const { Hkv, S, D, Dv, T, H } = SHAPES;
      const x = inputs();
      const spoil = (
        { values: all, ...rest }: ReturnType<typeof random>,
        heads: number,
        n: number,
        d: number,
        from: number[],
      ) => ({
        ...rest,
        values: all.map((value, e) =>
          Math.floor(e / d) % n < from[Math.floor(e / (d * n * heads))]! ? value : Number.NaN,
        ),
      });
      const options: SoftAttentionOptions = { keyLengths: [3, 6], queryLengths: [4, 2], causal: "topLeft" };
      const dirty = {
        q: spoil(x.q, H, T, D, [4, 2]),
        k: spoil(x.k, Hkv, S, D, [3, 6]),
        v: spoil(x.v, Hkv, S, Dv, [3, 6]),
      };
      expect(dirty.v.values.filter(Number.isNaN).length).toBe(Hkv * Dv * (4 + 1));
      const [a, b] = [run(x, options), run(dirty, options)];
      for (const name of ["output", "weights", "lse"] as const) {
        expect(b[name].dataSync()).toEqual(a[name].dataSync());
      }
      const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
        softAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, options).output;
      const gradient = ({ q, k, v }: ReturnType<typeof inputs>) =>
        tf.grads(f)([tensor(q), tensor(k), tensor(v)]);
      const [clean, spoiled] = [gradient(x), gradient(dirty)];
      for (const n of [0, 1, 2]) expect(spoiled[n]!.dataSync()).toEqual(clean[n]!.dataSync());
    });
  });

  it("lets a NaN that some queries see spoil those rows, and no others", () => {
    tf.tidy(() => {
      for (const which of ["k", "v"] as const) {
        const x = inputs();
        const width = which === "k" ? SHAPES.D : SHAPES.Dv;
        x[which].values[3 * width] = Number.NaN; // example 0, key/value head 0, key 3: query heads 0 and 1
        const clean = run(inputs(), { causal: "topLeft" }).output.dataSync();
        const actual = run(x, { causal: "topLeft" }).output.dataSync();
        expect(actual.length).toBe(2 * 6 * 5 * SHAPES.Dv);
        actual.forEach((value, e) => {
          const [row, column] = [Math.floor(e / SHAPES.Dv), e % SHAPES.Dv];
          const sees = row < 2 * 5 && row % 5 >= 3 && (which === "k" || column === 0);
          if (sees) expect(value, `row ${row}, column ${column}`).toBe(Number.NaN);
          // A key that is not finite makes the kernels find each row's maximum another way: other roundings.
          else expect(Math.abs(value - clean[e]!), `row ${row}, column ${column}`).toBeLessThanOrEqual(1e-6);
        });
      }
    });
  });

  it.each(["q", "k", "v"] as const)(
    "gives with a mask or a bias that hide nothing what it gives without one, NaN and infinities in %s included",
    (which) => {
      tf.tidy(() => {
        const x = inputs();
        const { values: all } = x[which];
        const spoiled = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        spoiled.forEach((value, n) => {
          all[17 + 41 * n] = value;
        });
        all[19] = Number.NEGATIVE_INFINITY; // in v, below an Infinity of the same column
        all[100] = Number.POSITIVE_INFINITY;
        const plain = run(x);
        const stray = [...plain.output.dataSync()].filter((value) => !Number.isFinite(value));
        expect(stray.length).toBeGreaterThan(0);
        if (which === "v") expect(new Set(stray)).toEqual(new Set([...spoiled]));
        for (const options of [
          { allow: tf.ones([5, 7], "bool") },
          { keyLengths: [7, 7] },
          { bias: tf.zeros([5, 7]) },
          { allow: tf.ones([1, 6, 5, 7], "bool"), bias: tf.zeros([2, 1, 1, 7]), queryLengths: [5, 5] },
        ] as SoftAttentionOptions[]) {
          const masked = run(x, options);
          for (const name of ["output", "weights", "lse"] as const) {
            // As far as rounding goes: a mask makes the kernels sum in another order.
            expect(distance(masked[name].dataSync(), plain[name].dataSync()), name).toBeLessThanOrEqual(3e-6);
          }
        }
      });
    },
  );

  it.each([undefined, 1.5])(
    "hides by a bias of −∞ as by allow: NaN behind it reaches nothing, gradients included (soft-cap %s)",
    (softCap) => {
      tf.tidy(() => {
        const { S, D, Dv } = SHAPES;
        const x = inputs();
        const hidden = [2, 6];
        const bias = tensor({
          shape: [5, 7],
          dtype: "float32",
          values: random(4, [5, 7]).values.map((b, e) => (hidden.includes(e % S) ? -Infinity : b)),
        });
        const spoil = ({ values: all, ...rest }: ReturnType<typeof random>, width: number) => ({
          ...rest,
          values: all.map((value, e) => (hidden.includes(Math.floor(e / width) % S) ? Number.NaN : value)),
        });
        const dirty = { q: x.q, k: spoil(x.k, D), v: spoil(x.v, Dv) };
        const options = { bias, softCap };
        const [clean, spoiled] = [run(x, options), run(dirty, options)];
        for (const name of ["output", "weights", "lse"] as const) {
          expect(spoiled[name].dataSync()).toEqual(clean[name].dataSync());
        }
        const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, b: tf.Tensor) =>
          softAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { bias: b, softCap }).output;
        const gradients = ({ q, k, v }: ReturnType<typeof inputs>) =>
          tf
            .grads(f)([tensor(q), tensor(k), tensor(v), bias])
            .map((d) => [...d.dataSync()]);
        const expected = gradients(x);
        expect(gradients(dirty)).toEqual(expected);
        expect(expected.flat().some(Number.isNaN)).toBe(false);
        expect(expected[3]!.filter((_, e) => hidden.includes(e % S)).every((d) => d === 0)).toBe(true);
      });
    },
  );

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs();
      const tensors = [tensor(q), tensor(k), tensor(v)] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      for (const [, options] of EVERY_OPTION) {
        const asked = { ...onDevice(options), weights: true, lse: true } as const;
        const before = tf.memory().numTensors;
        softAttention(...tensors, asked);
        expect(tf.memory().numTensors).toBe(before + 3);
      }
    });
  });

  it("names example, head and query of an empty row", () => {
    const { q, k, v } = inputs();
    const values = Uint8Array.from({ length: 6 * 5 * 7 }, (_, e) =>
      Math.floor(e / 7) === 4 * 5 + 3 ? 0 : 1,
    );
    const allow = tensor({ shape: [1, 6, 5, 7], dtype: "bool", values });
    const refuse = () => softAttention(tensor(q), tensor(k), tensor(v), { allow, onEmptyRow: "error" });
    expect(refuse).toThrow("got none for example 0, head 4, query 3;");
  });

  it("refuses shapes that do not fit and empty rows on request", () => {
    expect(() =>
      softAttention(tf.zeros([1, 6, 2, 3]), tf.zeros([1, 4, 5, 3]), tf.zeros([1, 4, 5, 3])),
    ).toThrow(ShapeError);
    const { q, k, v } = inputs();
    const refuse = () =>
      softAttention(tensor(q), tensor(k), tensor(v), { keyLengths: [7, 0], onEmptyRow: "error" });
    expect(refuse).toThrow(OptionError);
    expect(refuse).toThrow(
      'softAttention: with onEmptyRow: "error" every query must see a key, got none for example 1, head 0, query 0; ' +
        'allow a key there, or use onEmptyRow: "zero" or "uniform"',
    );
  });
}

onEveryBackend("softAttention", softAttentionTests);
onPlainKernels("softAttention", softAttentionTests);
