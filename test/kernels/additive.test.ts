import { describe, expect, it } from "vitest";
import type { HostArray } from "../../src/core/notation.ts";
import {
  type AdditiveAttentionOptions,
  type AdditiveSizes,
  additiveAttention,
  additiveAttentionBackward,
} from "../../src/kernels/additive.ts";
import { AdditiveEngine } from "../../src/kernels/wasm/additive-engine.ts";
import { allowRelaxedSimd } from "../../src/kernels/wasm/relaxed.ts";
import {
  additiveTolerances,
  makeAdditiveCase,
  runAdditiveFused,
  runAdditiveReference,
} from "./additive-cases.ts";
import { firstDifference, floats, normal } from "./cases.ts";

allowRelaxedSimd();
const engines = [new AdditiveEngine("relaxed"), new AdditiveEngine("plain")];

const SIZES = { B: 2, T: 3, S: 5, A: 7, Dv: 11 };

function arrays({ B, T, S, A, Dv }: AdditiveSizes, seed = 1) {
  return {
    ...{ query: normal(seed, B * T * A), key: normal(seed + 1, B * S * A), v: normal(seed + 2, A) },
    ...{ value: normal(seed + 3, B * S * Dv), dout: normal(seed + 4, B * T * Dv) },
  };
}

const run = (sizes: AdditiveSizes, options?: AdditiveAttentionOptions, x = arrays(sizes)) =>
  additiveAttention(x.query, x.key, x.v, x.value, sizes, options);

function compare(sizes: AdditiveSizes, options = {}, gain = 1): string[] {
  const one = makeAdditiveCase(sizes, options, 7, gain);
  const expected = runAdditiveReference(one);
  const tolerance = additiveTolerances(one, expected);
  return engines.map((engine) => firstDifference(runAdditiveFused(engine, one), expected, tolerance));
}

describe("additiveAttention", () => {
  it("gives a case worked by hand", () => {
    // A = 1, v = 2, q = 0: scores 2 tanh 0 = 0 and 2 · ½ ln 3 = ln 3, so weights ¼ and ¾, output 7, lse ln 4.
    const key = Float32Array.of(0, Math.atanh(Math.log(3) / 2));
    const sizes = { B: 1, T: 1, S: 2, A: 1, Dv: 1 };
    const [query, v, value] = [Float32Array.of(0), Float32Array.of(2), Float32Array.of(4, 8)];
    const { output, lse, weights } = additiveAttention(query, key, v, value, sizes, { weights: true });
    expect(weights[0]).toBeCloseTo(0.25, 6);
    expect(weights[1]).toBeCloseTo(0.75, 6);
    expect(output[0]).toBeCloseTo(7, 5);
    expect(lse[0]).toBeCloseTo(Math.log(4), 6);
  });

  it("gives all the mass to scores of +∞, in equal shares, and has finite gradients", () => {
    const values = new Float32Array(5).fill(0.5);
    for (const places of [[3], [0, 4]]) {
      const bias = { shape: [1, 5], dtype: "float32", values: values.slice() };
      for (const j of places) bias.values[j] = Infinity;
      expect(compare(SIZES, { bias })).toEqual(["", ""]);
      const { weights, lse } = run(SIZES, { bias, weights: true });
      expect([weights![places[0]!], lse[0]]).toEqual([1 / places.length, Infinity]);
    }
  });

  it.each<[string, AdditiveSizes, object, number]>([
    ["one step of a decoder", { B: 13, T: 1, S: 12, A: 256, Dv: 512 }, {}, 0.5],
    ["many keys", { B: 1, T: 9, S: 1009, A: 31, Dv: 33 }, { causal: true, queryOffset: 1000 }, 1],
    [
      "many queries",
      { B: 1, T: 211, S: 17, A: 33, Dv: 65 },
      { window: { left: 3, right: 2 }, queryOffset: -90 },
      1,
    ],
    ["saturated units", { B: 1, T: 11, S: 23, A: 13, Dv: 5 }, {}, 8],
    ["units far beyond what an exponential holds", { B: 1, T: 11, S: 23, A: 13, Dv: 5 }, { softCap: 5 }, 300],
    ["units near 0", { B: 1, T: 11, S: 23, A: 13, Dv: 5 }, {}, 1e-3],
    ["no keys", { B: 2, T: 3, S: 0, A: 5, Dv: 7 }, { sink: 1 }, 1],
    ["no queries", { B: 2, T: 0, S: 3, A: 5, Dv: 7 }, {}, 1],
  ])("%s agree with the oracle", (_, sizes, options, gain) => {
    expect(compare(sizes, options, gain)).toEqual(["", ""]);
  });

  it.each(engines.map((engine) => [engine.build, engine] as const))(
    "a tanh of the %s build is right to 2⁻²² for units of any size and sign",
    (_, engine) => {
      // One unit, v = 1 and one key for each query: lse is the score, the tanh itself.
      const [T, gains] = [2000, [1e-4, 0.1, 1, 3, 8, 21, 22, 60]];
      const sizes = { B: T, T: 1, S: 1, A: 1, Dv: 1 };
      for (const [n, gain] of gains.entries()) {
        const { program, inputs } = makeAdditiveCase(sizes, {}, 31 + n, gain);
        const key = inputs.key.map((k, t) => (t % 2 ? k : k / gain - inputs.query[t]!)); // every second one cancels
        const { lse } = engine.forward(program, { ...inputs, key, v: Float32Array.of(1) }, false);
        const worst = Math.max(...lse.map((x, t) => Math.abs(x - Math.tanh(inputs.query[t]! + key[t]!))));
        // tanh of a float32 sum: half an ulp of 2 · gain comes on top where that sum is rounded.
        expect({ gain, worst: worst <= 2 ** -22 }).toEqual({ gain, worst: true });
      }
    },
  );

  it("a visible NaN or ∞ reaches what the oracle says, and nothing else", () => {
    const sizes = { B: 1, T: 17, S: 19, A: 5, Dv: 11 };
    for (const name of ["query", "key", "value"] as const) {
      const one = makeAdditiveCase(sizes, { causal: "topLeft" }, 9);
      one.inputs[name][12 * (name === "value" ? 11 : 5) + 3] = Number.NaN;
      one.inputs[name][14 * (name === "value" ? 11 : 5) + 2] = Infinity;
      const expected = runAdditiveReference(one);
      expect(Array.from(expected.output!).some(Number.isNaN)).toBe(true);
      expect(Array.from(expected.output!).some(Number.isFinite)).toBe(true);
      for (const engine of engines) {
        expect(
          firstDifference(runAdditiveFused(engine, one), expected, additiveTolerances(one, expected)),
        ).toBe("");
      }
    }
  });

  it("a key beyond the exponentials does not change a bit of the others", () => {
    const sizes = { B: 1, T: 9, S: 13, A: 6, Dv: 3 };
    const x = arrays(sizes);
    const allow: HostArray = {
      shape: [1, 13],
      dtype: "bool",
      values: Uint8Array.from({ length: 13 }, (_, j) => Number(j !== 6)),
    };
    const wild = { ...x, key: x.key.slice().fill(100, 36, 42) };
    const [clean, other] = [run(sizes, { allow }, x), run(sizes, { allow }, wild)];
    expect(other.output).toEqual(clean.output);
    const gradients = [clean, other].map(({ saved }) => additiveAttentionBackward({ dout: x.dout }, saved));
    expect(gradients[1]).toEqual(gradients[0]);
  });

  it("the same inputs give the same bits, and the output does not depend on whether weights were asked for", () => {
    const sizes = { B: 2, T: 31, S: 53, A: 17, Dv: 9 };
    const { dout } = arrays(sizes);
    const options = { causal: "bottomRight", dropout: { rate: 0.3, seed: 5 }, training: true } as const;
    const [first, second] = [run(sizes, options), run(sizes, { ...options, weights: true })];
    expect(second.output).toEqual(first.output);
    expect(second.lse).toEqual(first.lse);
    expect(additiveAttentionBackward({ dout }, second.saved)).toEqual(
      additiveAttentionBackward({ dout }, first.saved),
    );
  });

  it("bias and allow of three axes are those of four with one head", () => {
    const three = floats(5, [2, 3, 5]);
    const options = [three, { ...three, shape: [2, 1, 3, 5] }].map((bias) => ({ bias }));
    expect(run(SIZES, options[0]).output).toEqual(run(SIZES, options[1]).output);
    expect(run(SIZES, options[0]).output).not.toEqual(run(SIZES).output);
  });

  it("memory holds no T · S · A, nor anything that grows with T · S", () => {
    const engine = new AdditiveEngine("relaxed");
    const [T, S, A] = [512, 640, 128];
    const one = makeAdditiveCase({ B: 1, T, S, A, Dv: 16 }, {}, 1);
    const { lse } = engine.forward(one.program, one.inputs, false);
    engine.backward(one.program, one.inputs, lse, { dout: one.cotangents.dout });
    // Query, key, their gradients, and two rows a key in scratch; T × S × A floats would be 160 MiB.
    expect(engine.memory.buffer.byteLength).toBeLessThan(4 * (2 * T + 4 * S) * A + 2 ** 19);
  });

  it("float64 arrays are computed by the oracle, in float64", () => {
    const one = makeAdditiveCase(SIZES, { sink: 0.5 }, 3);
    const wide = (x: Float32Array) => Float64Array.from(x);
    const { query, key, v, value } = one.inputs;
    const result = additiveAttention(wide(query), wide(key), wide(v), wide(value), SIZES, {
      sink: 0.5,
      weights: true,
    });
    const expected = runAdditiveReference(one);
    expect(result.output).toEqual(expected.output);
    expect(result.weights).toEqual(expected.weights);
    const { dout, dlse, dweights } = one.cotangents;
    const cotangents = { dout: wide(dout), dlse: wide(dlse), dweights: wide(dweights) };
    const { dquery, dsink } = additiveAttentionBackward(cotangents, result.saved);
    expect(dquery).toEqual(expected.dquery);
    expect(dsink).toEqual(expected.dsink);
  });

  it("gradients come for what the program has, and for nothing else", () => {
    const { dout } = arrays(SIZES);
    const names = (options: AdditiveAttentionOptions) =>
      Object.keys(additiveAttentionBackward({ dout }, run(SIZES, options).saved));
    expect(names({})).toEqual(["dquery", "dkey", "dv", "dvalue"]);
    expect(names({ bias: floats(1, [1, 5]), sink: 1 })).toEqual([
      ...["dquery", "dkey", "dv", "dvalue", "dbias", "dsink"],
    ]);
  });

  const refusals: [string, Partial<AdditiveSizes>, AdditiveAttentionOptions, string][] = [
    [
      "negative T",
      { T: -1 },
      {},
      "additiveAttention: sizes.T must be an integer ≥ 0, got -1; name the sizes of query [B, T, A], key [B, S, A] and value [B, S, Dv]",
    ],
    [
      "no hidden units",
      { A: 0 },
      {},
      "additiveAttention: sizes.A must be an integer ≥ 1, got 0; name the sizes of query [B, T, A], key [B, S, A] and value [B, S, Dv]",
    ],
    [
      "a query of another size",
      { T: 4 },
      {},
      "additiveAttention: query must hold B·T·A = 56 numbers, got 42; pass the whole array, row-major and not detached",
    ],
    [
      "causality without a corner",
      {},
      { causal: true },
      'additiveAttention: causal: true must have T = S, got T=3 and S=5; say which corner is aligned with causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query',
    ],
    [
      "a bias shorter than its shape",
      {},
      { bias: { shape: [3, 5], dtype: "float32", values: [1] } },
      "additiveAttention: bias must hold [3, 5] = 15 numbers, got 1; pass the whole array, row-major and not detached",
    ],
    [
      "empty rows on request",
      {},
      { keyLengths: [5, 0], onEmptyRow: "error" },
      'additiveAttention: with onEmptyRow: "error" every query must see a key, got none for example 1, head 0, query 0; allow a key there, or use onEmptyRow: "zero" or "uniform"',
    ],
  ];
  it.each(refusals)("refuses %s", (_, sizes, options, message) => {
    expect(() => run({ ...SIZES, ...sizes }, options, arrays(SIZES))).toThrow(message);
    expect(run(SIZES).output.every(Number.isFinite)).toBe(true);
  });

  it("refuses mixed precisions", () => {
    const { query, key, v, value, dout } = arrays(SIZES);
    const mixed = Float64Array.from(key) as unknown as Float32Array;
    expect(() => additiveAttention(query, mixed, v, value, SIZES)).toThrow(
      "additiveAttention: query, key, v, value must be all Float32Array or all Float64Array, got Float32Array, Float64Array, Float32Array, Float32Array; convert them",
    );
    const { saved } = run(SIZES);
    expect(() => additiveAttentionBackward({ dout: dout.subarray(1) }, saved)).toThrow(
      "additiveAttentionBackward: dout must hold B·T·Dv = 66 numbers, got 65; pass the whole array, row-major and not detached",
    );
  });
});
