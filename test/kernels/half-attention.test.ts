import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HALF, HALF_TYPES, type HalfType } from "../../src/core/half.ts";
import { attention } from "../../src/kernels/attention.ts";
import { type HalfAttentionOptions, halfAttention } from "../../src/kernels/half-attention.ts";
import { init, shutdown } from "../../src/kernels/init.ts";
import type { AttentionOptions, AttentionSizes } from "../../src/kernels/layout.ts";
import { normal } from "./cases.ts";

const SIZES = { B: 2, H: 6, Hkv: 3, T: 5, S: 11, D: 7, Dv: 13 };
const MANY = { B: 1, H: 2, Hkv: 1, T: 53, S: 131, D: 19, Dv: 11 };
const ONE = { B: 1, H: 2, Hkv: 2, T: 1, S: 211, D: 16, Dv: 16 };

/** Random q, k and v, as halves and as the floats that those are. */
function halves(type: HalfType, { B, H, Hkv = H, T, S, D, Dv = D }: AttentionSizes) {
  const { encode, decode } = HALF[type];
  const [q, k, v] = [normal(1, B * H * T * D), normal(2, B * Hkv * S * D), normal(3, B * Hkv * S * Dv)].map(
    encode,
  ) as [Uint16Array, Uint16Array, Uint16Array];
  return { q, k, v, floats: [decode(q), decode(k), decode(v)] as const };
}

const flags = (n: number, isSet: (at: number) => boolean) =>
  Uint8Array.from({ length: n }, (_, at) => (isSet(at) ? 1 : 0));
const mask = (shape: number[], isSet: (at: number) => boolean) => ({
  shape,
  dtype: "bool",
  values: flags(
    shape.reduce((a, b) => a * b),
    isSet,
  ),
});
const bias = (shape: number[], value: (at: number) => number) => ({
  shape,
  dtype: "float32",
  values: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, at) => value(at)),
});

/** Everything that can hide a key, and what else changes a score. −1e9 would be −∞ in float16, and 0 times it NaN. */
const OPTIONS: Readonly<Record<string, (sizes: typeof SIZES) => AttentionOptions>> = {
  nothing: () => ({}),
  "causal bottom right": () => ({ causal: "bottomRight" }),
  "causal top left": () => ({ causal: "topLeft" }),
  "a window": () => ({ window: { left: 3, right: 1 }, queryOffset: 2 }),
  "allow, with a row that sees nothing": ({ T, S }) => ({
    allow: mask([1, 1, T, S], (at) => at >= S && at % 3 > 0),
  }),
  "allow, and empty rows weigh all alike": ({ T, S }) => ({
    allow: mask([1, 1, T, S], (at) => at >= S && at % 3 > 0),
    onEmptyRow: "uniform",
  }),
  "a bias of −1e9": ({ H, T, S }) => ({ bias: bias([1, H, T, S], (at) => (at % 2 ? -1e9 : at / 100)) }),
  "a bias of −1e9 everywhere": ({ T, S }) => ({ bias: bias([1, 1, T, S], () => -1e9) }),
  "a bias of −3e38 and −∞": ({ H, T, S }) => ({
    bias: bias([1, H, T, S], (at) => [0, -3e38, -Infinity][at % 3]!),
  }),
  lengths: ({ B, T, S }) => ({
    queryLengths: Int32Array.from({ length: B }, (_, b) => T - 2 * b),
    keyLengths: Int32Array.from({ length: B }, (_, b) => (b ? 0 : S - 4)),
  }),
  "a sink, a cap and dropout": () => ({
    sink: 0.5,
    softCap: 3,
    dropout: { rate: 0.25, seed: 7 },
    training: true,
  }),
};

/** halfAttention and attention on what the halves are. */
function both(type: HalfType, sizes: AttentionSizes, options: AttentionOptions) {
  const { q, k, v, floats } = halves(type, sizes);
  const given: HalfAttentionOptions = { ...options, weights: true, half: type };
  const made = halfAttention(q, k, v, sizes, given);
  return { made, expected: attention(...floats, sizes, { ...options, weights: true }) };
}

describe.each([1, 2])("halfAttention with %i threads", (threads) => {
  beforeAll(async () => void (await init({ threads })));
  afterAll(shutdown);

  for (const [name, options] of Object.entries(OPTIONS).slice(0, threads === 1 ? undefined : 3)) {
    it(`gives the bits of attention on the decoded numbers: ${name}`, () => {
      for (const type of HALF_TYPES) {
        for (const sizes of [SIZES, MANY, ONE]) {
          for (const layout of sizes === SIZES ? (["bhtd", "bthd"] as const) : (["bhtd"] as const)) {
            const { made, expected } = both(type, sizes, { ...options(sizes), layout });
            for (const part of ["output", "lse", "weights"] as const)
              expect(made[part]).toEqual(expected[part]);
            expect(made.output.some(Number.isNaN)).toBe(false);
          }
        }
      }
    });
  }

  it("takes packed sequences, and floats beside halves", () => {
    const sizes = { ...SIZES, B: 3, T: 9, S: 9 };
    const lengths = { queryLengths: [4, 0, 5], keyLengths: [4, 0, 5] };
    const shapes = { ...sizes, B: 1 };
    const { q, k, v, floats } = halves("float16", shapes);
    const options = { layout: "thd", causal: true, ...lengths } as const;
    const expected = attention(...floats, sizes, options).output;
    expect(halfAttention(q, k, v, sizes, { ...options, half: "float16" }).output).toEqual(expected);
    expect(halfAttention(floats[0], k, v, sizes, { ...options, half: "float16" }).output).toEqual(expected);
  });

  it("reads nothing that is hidden, be it NaN or infinite", () => {
    const { q, k, v } = halves("float16", SIZES);
    const { B, Hkv, S, D, Dv } = SIZES;
    const options = { keyLengths: [7, 4], half: "float16" } as const;
    const clean = halfAttention(q, k, v, SIZES, options).output;
    for (let b = 0; b < B; b++) {
      for (let g = 0; g < Hkv; g++) {
        for (let j = options.keyLengths[b]!; j < S; j++) {
          const row = (b * Hkv + g) * S + j;
          k.fill(0x7e00, row * D, (row + 1) * D);
          v.fill(0x7c00, row * Dv, (row + 1) * Dv);
        }
      }
    }
    expect(halfAttention(q, k, v, SIZES, options).output).toEqual(clean);
  });
});

describe("halfAttention", () => {
  beforeAll(async () => void (await init({ threads: 1 })));

  it.each([
    ["float16", 2e-3],
    ["bfloat16", 8 * 2e-3],
  ] as const)("%s errs by less than the bound, and than %f of the values' scale", (type, least) => {
    const sizes = { B: 1, H: 4, Hkv: 2, T: 37, S: 301, D: 64, Dv: 64 };
    const { T, S, D, Dv, H, Hkv } = sizes;
    // The second half of the heads has scores that single out a few keys.
    const q = normal(1, H * T * D).map((x, at) => (at < (H * T * D) / 2 ? x : 4 * x));
    const [k, v] = [normal(2, Hkv * S * D), normal(3, Hkv * S * Dv)];
    const { encode, roundoff: u } = HALF[type];
    const { output } = halfAttention(encode(q), encode(k), encode(v), sizes, {
      half: type,
      causal: "bottomRight",
    });
    const exact = attention(q, k, v, sizes, { causal: "bottomRight" }).output;
    const most = v.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    let [worst, broken] = [0, 0];
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < T; i++) {
        let delta = 0;
        for (let j = 0; j <= i + S - T; j++) {
          let sum = 0;
          for (let d = 0; d < D; d++)
            sum += Math.abs(q[(h * T + i) * D + d]! * k[((h >> 1) * S + j) * D + d]!);
          delta = Math.max(delta, ((2 * u + u * u) * sum) / Math.sqrt(D));
        }
        // Weights change by e^±2δ at most, values by u of themselves; float32 itself errs by 1e-6.
        const bound = (Math.expm1(2 * delta) * (1 + u) + u + 1e-6) * most;
        for (let c = 0; c < Dv; c++) {
          const at = (h * T + i) * Dv + c;
          const error = Math.abs(output[at]! - exact[at]!);
          if (error > bound) broken++;
          worst = Math.max(worst, error / most);
        }
      }
    }
    expect(broken).toBe(0);
    expect(worst).toBeLessThan(least);
    // The rounding does show.
    expect(worst).toBeGreaterThan(u / 8);
  });

  it("refuses what it does not know, before it reads anything", () => {
    const { q, k, v, floats } = halves("float16", SIZES);
    expect(() => halfAttention(q, k, v, SIZES, { half: "float8" as HalfType })).toThrow(
      'halfAttention: half must be "float16" or "bfloat16", got float8; choose one of them',
    );
    expect(() => halfAttention(q, new Int16Array(k.length) as never, v, SIZES, { half: "float16" })).toThrow(
      "halfAttention: k must be a Float32Array or a Uint16Array, got Int16Array; convert it",
    );
    expect(() => halfAttention(q, k.subarray(1), v, SIZES, { half: "float16" })).toThrow(
      "halfAttention: k must hold B·Hkv·S·D = 462 numbers, got 461; pass the whole array, row-major and not detached",
    );
    expect(() => halfAttention(floats[0], k, v, { ...SIZES, H: 5 }, { half: "float16" })).toThrow(
      "halfAttention: query heads H=5 must be a multiple of key/value heads Hkv=3",
    );
  });
});
