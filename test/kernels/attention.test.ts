import { beforeAll, describe, expect, it } from "vitest";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import type { ProgramOptions } from "../../src/core/program.ts";
import {
  type AttentionOptions,
  type AttentionSizes,
  attention,
  attentionBackward,
} from "../../src/kernels/attention.ts";
import { init } from "../../src/kernels/init.ts";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import {
  type Arrays,
  firstDifference,
  floats,
  holes,
  makeCase,
  normal,
  runFused,
  runReference,
  tolerances,
} from "./cases.ts";

const SIZES = { B: 1, H: 2, T: 3, S: 5, D: 7, Dv: 11 };
const arrays = ({ B, H, T, S, D, Hkv = H, Dv = D }: AttentionSizes, seed = 1) => ({
  q: normal(seed, B * H * T * D),
  k: normal(seed + 1, B * Hkv * S * D),
  v: normal(seed + 2, B * Hkv * S * Dv),
  dout: normal(seed + 3, B * H * T * Dv),
});

/** Runs a case on both builds and compares each with the oracle. */
function compare(shapes: AttentionShapes, options: ProgramOptions<HostArray>, gain = 1): string[] {
  const one = makeCase(shapes, options, 7, gain);
  const expected = runReference(one);
  const tolerance = tolerances(one, expected);
  return [relaxed, plain].map((engine) => firstDifference(runFused(engine, one), expected, tolerance));
}

let relaxed: AttentionEngine;
let plain: AttentionEngine;

it("attention before init says what to do", () => {
  const { q, k, v } = arrays(SIZES);
  expect(() => attention(q, k, v, SIZES)).toThrow(
    "attention: float32 kernels must be compiled before they run, got a call before that; await init() once",
  );
});

describe("With the kernels", () => {
  beforeAll(async () => {
    expect(await init()).toEqual({ build: "relaxed", threads: 1 });
    relaxed = new AttentionEngine("relaxed");
    plain = new AttentionEngine("plain");
  });

  it("init returns at once when it has run already", async () => {
    const begin = performance.now();
    for (let n = 0; n < 100; n++) expect(await init()).toEqual({ build: "relaxed", threads: 1 });
    // A hundred compilations would take seconds.
    expect(performance.now() - begin).toBeLessThan(500);
  });

  it("attention gives a case worked by hand", () => {
    // q = (1, 0), scale 1: scores 0 and ln 3, so weights ¼ and ¾ and output ¼·4 + ¾·8 = 7; lse = ln 4.
    const sizes = { B: 1, H: 1, T: 1, S: 2, D: 2, Dv: 1 };
    const { output, lse, weights } = attention(
      Float32Array.of(1, 0),
      Float32Array.of(0, 5, Math.log(3), 6),
      Float32Array.of(4, 8),
      sizes,
      { scale: 1, weights: true },
    );
    expect(weights[0]).toBeCloseTo(0.25, 6);
    expect(weights[1]).toBeCloseTo(0.75, 6);
    expect(output[0]).toBeCloseTo(7, 5);
    expect(lse[0]).toBeCloseTo(Math.log(4), 6);
  });

  const EDGES = [0, 1, 2, 63, 64, 65, 127, 129];
  it.each(EDGES)("T = %i agrees with the oracle for S and D at every edge of a block", (T) => {
    for (const [n, S] of EDGES.entries()) {
      const [D, Dv] = [EDGES[(n + 1) % 8]! || 1, EDGES[(n + 5) % 8]! || 3];
      const shapes = { B: 1, T, S, H: 1, Hkv: 1, D, Dv };
      for (const options of [{}, { causal: "bottomRight" as const }]) {
        expect({ S, D, Dv, options, difference: compare(shapes, options) }).toEqual({
          ...{ S, D, Dv, options },
          difference: ["", ""],
        });
      }
    }
  });

  it.each<[string, AttentionShapes, ProgramOptions<HostArray>, number]>([
    ["the widest heads", { B: 1, T: 50, S: 101, H: 1, Hkv: 1, D: 512, Dv: 509 }, { causal: "topLeft" }, 1],
    [
      "a window far from the start",
      { B: 1, T: 211, S: 503, H: 1, Hkv: 1, D: 5, Dv: 3 },
      { queryOffset: 290, window: { left: 17, right: 2 } },
      1,
    ],
    [
      "shared heads over many blocks",
      { B: 2, T: 103, S: 199, H: 6, Hkv: 2, D: 8, Dv: 13 },
      { keyLengths: [199, 150] },
      1,
    ],
    ["scores in the hundreds", { B: 1, T: 97, S: 307, H: 1, Hkv: 1, D: 16, Dv: 8 }, { scale: 20 }, 1],
    [
      "rising scores, where maxima move in every block",
      { B: 1, T: 53, S: 401, H: 1, Hkv: 1, D: 3, Dv: 2 },
      { bias: rising(401) },
      1,
    ],
    [
      "a few queries over many keys",
      { B: 2, T: 3, S: 1009, H: 4, Hkv: 2, D: 31, Dv: 29 },
      { causal: true, queryOffset: 1000 },
      1,
    ],
    [
      "stripes of allow and bias",
      { B: 1, T: 150, S: 6007, H: 1, Hkv: 1, D: 2, Dv: 2 },
      { allow: holes(3, [150, 6007], true), bias: floats(4, [150, 6007]) },
      1,
    ],
  ])("%s agree with the oracle", (_, shapes, options, gain) => {
    expect(compare(shapes, options, gain)).toEqual(["", ""]);
  });

  it("a visible NaN or ∞ in v reaches what the oracle says, and nothing else", () => {
    const shapes = { B: 1, T: 67, S: 71, H: 1, Hkv: 1, D: 5, Dv: 11 };
    const one = makeCase(shapes, { causal: "topLeft" }, 9);
    one.v[50 * 11 + 3] = Number.NaN;
    one.v[60 * 11 + 9] = Infinity;
    one.dout[20 * 11 + 4] = Number.NaN;
    const expected = runReference(one);
    expect(Array.from(expected.output!).filter(Number.isNaN).length).toBe(17);
    for (const engine of [relaxed, plain]) {
      expect(firstDifference(runFused(engine, one), expected, tolerances(one, expected))).toBe("");
    }
  });

  it("a key that only a bias of −∞ hides may hold NaN", () => {
    const sizes = { B: 1, H: 1, T: 2, S: 3, D: 2 };
    const { q, k, v, dout } = arrays(sizes);
    const bias = { shape: [1, 3], dtype: "float32", values: Float32Array.of(0, -Infinity, 0) };
    const clean = attention(q, k, v, sizes, { bias, weights: true });
    const gradients = attentionBackward(dout, clean.saved);
    const [dirtyK, dirtyV] = [k.slice().fill(Number.NaN, 2, 4), v.slice().fill(Number.NaN, 2, 4)];
    const dirty = attention(q, dirtyK, dirtyV, sizes, { bias, weights: true });
    expect(dirty.output).toEqual(clean.output);
    expect(dirty.weights).toEqual(clean.weights);
    expect(attentionBackward(dout, dirty.saved)).toEqual(gradients);
  });

  it("the same inputs give the same bits, and the output does not depend on whether weights were asked for", () => {
    const sizes = { B: 2, H: 4, T: 61, S: 103, D: 17, Hkv: 2 };
    const { q, k, v, dout } = arrays(sizes);
    const options = { causal: "bottomRight", dropout: { rate: 0.3, seed: 5 }, training: true } as const;
    const first = attention(q, k, v, sizes, options);
    const second = attention(q, k, v, sizes, { ...options, weights: true });
    expect(second.output).toEqual(first.output);
    expect(second.lse).toEqual(first.lse);
    expect(attentionBackward(dout, second.saved)).toEqual(attentionBackward(dout, first.saved));
  });

  it("weights are e^(score − lse): their rows sum to 1, and they give the output", () => {
    const sizes = { B: 1, H: 1, T: 5, S: 131, D: 8, Dv: 1 };
    const { q, k, v } = arrays(sizes);
    const { output, weights } = attention(q, k, v, sizes, { weights: true });
    for (let i = 0; i < 5; i++) {
      const row = weights.subarray(i * 131, (i + 1) * 131);
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(row.reduce((sum, w, j) => sum + w * v[j]!, 0)).toBeCloseTo(output[i]!, 5);
    }
  });

  it("scores in the ten thousands leave weights and gradients all their digits", () => {
    // Scores near 10⁴, differences of the order of 1: one float32 holds lse to 2⁻¹⁰ only.
    const sizes = { B: 1, H: 1, T: 61, S: 67, D: 8, Dv: 3 };
    const { q, k, v, dout } = arrays(sizes);
    for (let i = 0; i < 61; i++) q[i * 8] = 128;
    for (let j = 0; j < 67; j++) k[j * 8] = 80;
    const [wide, narrow] = [Float64Array, Float32Array].map((kind) => {
      const [a, b, c, d] = [q, k, v, dout].map((x) => kind.from(x)) as [Float32Array, ...Float32Array[]];
      const { weights, saved } = attention(a, b!, c!, sizes, { scale: 1, weights: true });
      return { weights, ...attentionBackward(d!, saved) };
    }) as unknown as [Arrays, Arrays];
    for (let i = 0; i < 61; i++) {
      const sum = (narrow.weights as Float32Array).subarray(i * 67, (i + 1) * 67).reduce((a, b) => a + b);
      expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
    }
    // The scores themselves are rounded to 2⁻¹¹, which is what the weights are off by, relatively, and no more.
    const far = 2 ** -9 * Math.max(...(wide.dv as Float64Array).map(Math.abs));
    expect(firstDifference({ dv: narrow.dv! }, { dv: wide.dv! }, { dv: far })).toBe("");
  });

  it("dropout keeps the mean of the output, and does nothing without training", () => {
    const sizes = { B: 1, H: 2, T: 7, S: 31, D: 5, Dv: 3 };
    const { q, k, v } = arrays(sizes);
    const plain = attention(q, k, v, sizes).output;
    const evaluated = attention(q, k, v, sizes, { dropout: { rate: 0.4, seed: 1 } }).output;
    expect(evaluated).toEqual(plain);
    const n = 2000;
    const draws = Array.from({ length: n }, (_, seed) =>
      attention(q, k, v, sizes, { dropout: { rate: 0.4, seed }, training: true }),
    );
    const scores = Array.from(plain, (x, e) => {
      const values = draws.map(({ output }) => output[e]!);
      const mean = values.reduce((a, b) => a + b) / n;
      const variance = values.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (n - 1);
      return (mean - x) / Math.sqrt(variance / n);
    });
    // 42 means, 3 standard errors: one in 370 may be further away, and they are not independent.
    expect(scores.filter((z) => Math.abs(z) > 3).length).toBeLessThanOrEqual(1);
    expect(draws[0]!.output).not.toEqual(draws[1]!.output);
  });

  it("an example that is shorter than the one before it has weights of its own", () => {
    // Stripes of 48 rows: the first example leaves off in its third.
    const shapes = { B: 2, T: 101, S: 8209, H: 1, Hkv: 1, D: 2, Dv: 1 };
    expect(compare(shapes, { queryLengths: [101, 10] })).toEqual(["", ""]);
  });

  it("blocks that a mask empties are not computed: an empty half costs no time that its keys would", () => {
    const sizes = { B: 1, H: 1, T: 480, S: 4800, D: 64 };
    const { q, k, v } = arrays(sizes);
    const allow = (seen: number): HostArray => ({
      shape: [1, 4800],
      dtype: "bool",
      values: new Uint8Array(4800).fill(1, 0, seen),
    });
    const time = (options: AttentionOptions) => {
      let best = Infinity;
      for (let n = 0; n < 7; n++) {
        const begin = performance.now();
        attention(q, k, v, sizes, options);
        best = Math.min(best, performance.now() - begin);
      }
      return best;
    };
    const all = time({ allow: allow(4800) });
    // A twenty-fifth of the keys is left, and the copying and packing of all.
    expect(time({ allow: allow(192) })).toBeLessThan(all / 3);
    expect(time({ window: { left: 95, right: 96 }, queryOffset: 2000 })).toBeLessThan(all / 3);
  });

  it("memory grows with T and not with T · S", () => {
    for (const T of [1024, 2048, 4096]) {
      const engine = new AttentionEngine("relaxed");
      const one = makeCase({ B: 1, T, S: T, H: 1, Hkv: 1, D: 8, Dv: 8 }, {}, 1);
      engine.backward(one.program, one, engine.forward(one.program, one), one.dout);
      // Twenty-odd arrays of T × 8 floats, and a megabyte for any size; T × S bytes would be 1, 4 and 16 MiB.
      expect(engine.memory.buffer.byteLength).toBeLessThan(24 * T * 8 * 4 + 2 ** 20);
    }
  });

  it("float64 arrays are computed by the oracle, in float64", () => {
    const shapes = { ...SIZES, Hkv: 2 };
    const one = makeCase(shapes, { causal: "bottomRight", sink: 0.5 }, 3);
    const [q, k, v] = [one.q, one.k, one.v].map((x) => Float64Array.from(x)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const result = attention(q, k, v, shapes, { causal: "bottomRight", sink: 0.5, weights: true });
    const expected = runReference(one);
    expect(result.output).toEqual(expected.output);
    expect(result.weights).toEqual(expected.weights);
    const { dq, dsink } = attentionBackward(
      Float64Array.from(one.dout),
      result.saved,
      Float64Array.from(one.dlse),
    );
    expect(dq).toEqual(expected.dq);
    expect(dsink).toEqual(expected.dsink);
  });

  it("gradients come for what the program has, and for nothing else", () => {
    const { q, k, v, dout } = arrays(SIZES);
    const bare = attentionBackward(dout, attention(q, k, v, SIZES).saved);
    expect(Object.keys(bare)).toEqual(["dq", "dk", "dv"]);
    const options = { bias: floats(1, [1, 2, 1, 5]), sink: floats(2, [2]) };
    const full = attentionBackward(dout, attention(q, k, v, SIZES, options).saved);
    expect([full.dbias?.length, full.dsink?.length]).toEqual([10, 2]);
  });

  const refusals: [string, Partial<AttentionSizes>, AttentionOptions, string][] = [
    [
      "negative T",
      { T: -1 },
      {},
      "attention: shape.T must be an integer ≥ 0, got -1; name the sizes of q [B, H, T, D], k [B, Hkv, S, D] and v [B, Hkv, S, Dv]",
    ],
    [
      "D = 0",
      { D: 0 },
      {},
      "attention: shape.D must be an integer ≥ 1, got 0; name the sizes of q [B, H, T, D], k [B, Hkv, S, D] and v [B, Hkv, S, Dv]",
    ],
    [
      "heads that do not divide",
      { H: 4, Hkv: 3 },
      {},
      "attention: query heads H=4 must be a multiple of key/value heads Hkv=3, got 4 and 3; pass k and v with 1, 2 or 4 heads",
    ],
    [
      "q of another size",
      { T: 4 },
      {},
      "attention: q must hold B·H·T·D = 56 numbers, got 42; pass the whole array, row-major and not detached",
    ],
    [
      "v of another size",
      { Dv: 12 },
      {},
      "attention: v must hold B·Hkv·S·Dv = 120 numbers, got 110; pass the whole array, row-major and not detached",
    ],
    [
      "a NaN scale",
      {},
      { scale: Number.NaN },
      "attention: scale must be a finite number, got NaN; choose one in that range or leave it out",
    ],
    [
      "a negative window",
      {},
      { window: { left: -1 } },
      "attention: window.left must be an integer ≥ 0, or Infinity, got -1; choose one in that range or leave it out",
    ],
    [
      "causality without a corner",
      {},
      { causal: true },
      'attention: causal: true must have T = S, got T=3 and S=5; say which corner is aligned with causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query',
    ],
    [
      "lengths beyond S",
      {},
      { keyLengths: [6] },
      "attention: keyLengths must be B=1 integers from 0 to 5, got [6]; give one length per example",
    ],
    [
      "numbers as allow",
      {},
      { allow: floats(1, [3, 5]) },
      "attention: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
    ],
    [
      "a bias shorter than its shape",
      {},
      { bias: { shape: [3, 5], dtype: "float32", values: [1] } },
      "attention: bias must hold [3, 5] = 15 numbers, got 1; pass the whole array, row-major and not detached",
    ],
    [
      "empty rows on request",
      {},
      { causal: true, queryOffset: -2, onEmptyRow: "error" },
      'attention: with onEmptyRow: "error" every query must see a key, got none for example 0, head 0, query 0; allow a key there, or use onEmptyRow: "zero" or "uniform"',
    ],
  ];
  it.each(refusals)("attention refuses %s", (_, sizes, options, message) => {
    const { q, k, v } = arrays(SIZES);
    expect(() => attention(q, k, v, { ...SIZES, ...sizes }, options)).toThrow(message);
    expect(attention(q, k, v, SIZES).output.every(Number.isFinite)).toBe(true);
  });

  it("attention refuses mixed precisions and detached arrays", () => {
    const { q, k, v, dout } = arrays(SIZES);
    const mixed = Float64Array.from(k) as unknown as Float32Array;
    expect(() => attention(q, mixed, v, SIZES)).toThrow(
      "attention: q, k, v and dout must be all Float32Array or all Float64Array, got Float32Array, Float64Array, Float32Array; convert them",
    );
    const { saved } = attention(q, k, v, SIZES);
    expect(() => attentionBackward(dout.subarray(1), saved)).toThrow(
      "attentionBackward: dout must hold B·H·T·Dv = 66 numbers, got 65; pass the whole array, row-major and not detached",
    );
    structuredClone(k, { transfer: [k.buffer as ArrayBuffer] });
    expect(() => attention(q, k, v, SIZES)).toThrow(
      "attention: k must hold B·Hkv·S·D = 70 numbers, got 0; pass the whole array, row-major and not detached",
    );
  });
});

/** Scores that grow by a tenth from key to key. */
function rising(S: number): HostArray {
  return { shape: [1, S], dtype: "float32", values: Float32Array.from({ length: S }, (_, j) => j / 10) };
}
