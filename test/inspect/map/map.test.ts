import { describe, expect, it } from "vitest";
import {
  type AttentionMap,
  type Cells,
  createTrace,
  denseMap,
  layerMap,
  MASKED,
  type MaskSpec,
  NOT_FINITE,
  pool,
  sparseMap,
  type TraceLayer,
  traceTensor,
  VALUE,
} from "../../../src/inspect/index.ts";
import { countAllocations } from "../allocations.ts";
import { attend, names, type Oracle } from "../support.ts";

const SIZES = { H: 6, Hkv: 3, T: 7, S: 11, D: 5 };

function qkLayer(
  sizes: typeof SIZES,
  { q, k, lse }: Oracle,
  extra: Partial<TraceLayer> = {},
  encoding: "f32" | "f16" = "f32",
): TraceLayer {
  const { H, Hkv, T, S, D } = sizes;
  const tokens = { tgt: names("t", T), src: names("s", S) };
  const tensors = {
    q: traceTensor([H, T, D], q, encoding),
    k: traceTensor([Hkv, S, D], k, encoding),
    lse: traceTensor([H, T], lse),
  };
  const { mask, maskSpec, bias, softCap, rowSums } = extra;
  const parts = Object.entries({ mask, maskSpec, bias, softCap, rowSums });
  const given = Object.fromEntries(parts.filter(([, x]) => x));
  return createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", ...tensors, ...given }] }).layers[0]!;
}

/** The largest difference from the oracle; hidden cells must be where its weights are 0. */
function worst(map: AttentionMap, weights: Float64Array): number {
  const { H, T, S } = map;
  let most = 0;
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const { values, kinds } = map.row(h, t);
      for (let s = 0; s < S; s++) {
        const expected = weights[(h * T + t) * S + s]!;
        expect(kinds[s]).toBe(expected === 0 ? MASKED : VALUE);
        most = Math.max(most, Math.abs(values[s]! - expected));
      }
    }
  return most;
}

describe("a map of q, k and lse", () => {
  // float32 holds the lse to |lse|·2⁻²⁴, which moves a weight by that share of it; |lse| < 8 here, and a store rounds.
  const EXACT = 8 * 2 ** -24 + 2 ** -24;

  it.each<[string, MaskSpec | undefined]>([
    ["nothing hidden", undefined],
    ["a causal mask at the last keys", { right: 0, offset: 4 }],
    [
      "a window, padding and queries that see nothing",
      { left: 2, right: 1, offset: 1, queryLength: 5, keyLength: 4 },
    ],
  ])("recomputes the exact weights with shared key heads and %s", (_, maskSpec) => {
    const oracle = attend(SIZES, maskSpec ? { maskSpec } : {});
    const layer = qkLayer(SIZES, oracle, { maskSpec: maskSpec! });
    expect(worst(layerMap(layer), oracle.weights)).toBeLessThan(EXACT);
  });

  it("recomputes them with soft-cap, a bias that hides a key, and a mask for each head", () => {
    const { H, T, S } = SIZES;
    const allow = (h: number, t: number, s: number) => (h + t + s) % 3 !== 0;
    const slope = (t: number, s: number) => (s === 2 ? -Infinity : Math.fround(-0.1 * Math.abs(s - t)));
    const oracle = attend(SIZES, { softCap: 1.5, bias: (_, t, s) => slope(t, s), allow });
    const mask = new Uint8Array(H * T * S).map((_, e) =>
      allow(Math.floor(e / (T * S)), Math.floor(e / S) % T, e % S) ? 1 : 0,
    );
    const bias = Float32Array.from({ length: T * S }, (_, e) => slope(Math.floor(e / S), e % S));
    const layer = qkLayer(SIZES, oracle, {
      softCap: 1.5,
      mask: traceTensor([H, T, S], mask, "bool"),
      bias: traceTensor([1, T, S], bias),
    });
    expect(worst(layerMap(layer), oracle.weights)).toBeLessThan(EXACT);
  });

  it("stays near them where q and k are halves", () => {
    const oracle = attend(SIZES);
    const layer = qkLayer(SIZES, oracle, {}, "f16");
    // |q|, |k| ≤ 2 are within 2⁻¹⁰ (half a unit of 2⁻¹⁰ below 2, and 2⁻¹¹ of smaller ones); a score, √D means of D
    // products, within √D·2·2·2⁻¹¹·2 = √5·2⁻⁸ at worst; a weight within that share of itself.
    expect(worst(layerMap(layer), oracle.weights)).toBeLessThan(Math.sqrt(5) * 2 ** -8);
  });

  it("lets a faster computer answer, and does the rest itself", () => {
    const oracle = attend(SIZES);
    const layer = qkLayer(SIZES, oracle);
    const asked: unknown[] = [];
    const seven: Cells = { rows: 1, columns: 1, values: Float32Array.of(7), kinds: Uint8Array.of(VALUE) };
    const map = layerMap(layer, "qk", {
      rows: (head) => (head === 1 ? seven : undefined),
      tile: (request) => {
        asked.push(request);
        return request.reduction === "mean" ? seven : undefined;
      },
    });
    expect(map.row(1, 0)).toBe(seven);
    expect(map.row(0, 0).columns).toBe(11);
    expect(map.tile(2, 0, 0, 0, "mean")).toBe(seven);
    expect(map.tile(2, 0, 0, 0).columns).toBe(11);
    expect(asked[0]).toEqual({ head: 2, level: 0, rows: [0, 7], columns: [0, 11], reduction: "mean" });
  });

  it("shows heads of 16,384 tokens, rows and tiles, without room for T × S weights", () => {
    const sizes = { H: 1, Hkv: 1, T: 16_384, S: 16_384, D: 2 };
    const { T, S, D } = sizes;
    const q = new Float32Array(T * D).fill(1);
    const k = Float32Array.from({ length: S * D }, (_, e) => Math.sin(e));
    const [left, scale] = [15, 1 / Math.sqrt(D)];
    const lse = Float32Array.from({ length: T }, (_, t) => {
      let sum = 0;
      for (let s = Math.max(0, t - left); s <= t; s++) sum += Math.exp(scale * (k[2 * s]! + k[2 * s + 1]!));
      return Math.log(sum);
    });
    const layer = qkLayer(sizes, { q, k, lse } as unknown as Oracle, { maskSpec: { left, right: 0 } });
    const { bytes, result } = countAllocations(() => {
      const map = layerMap(layer);
      expect(map.levels).toBe(7);
      return { row: map.row(0, 16_000), near: map.tile(0, 0, 62, 62), all: map.tile(0, 6, 0, 0) };
    });
    expect(bytes).toBeLessThan((T * S) / 100);
    const { row, near, all } = result;
    expect(row.values.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 5);
    expect(row.kinds.filter((kind) => kind === VALUE)).toHaveLength(16);
    // Query 16,000 is row 128 of tile 62, and so is its own key.
    expect(near.values[128 * 256 + 128]).toBe(row.values[16_000]);
    expect(all.rows * all.columns).toBe(256 * 256);
    // Blocks of 64: the diagonal and the one before it are seen.
    expect([...all.kinds.subarray(256 * 5 + 3, 256 * 5 + 7)]).toEqual([MASKED, VALUE, VALUE, MASKED]);
  });
});

describe("a map of q and k of which one call would recompute for half a minute", () => {
  const N = 2 ** 15;
  const oracle = {
    q: new Float32Array(N),
    k: new Float32Array(N),
    lse: new Float32Array(N).fill(Math.log(N)),
  };
  const layer = (maskSpec?: MaskSpec) =>
    qkLayer(
      { H: 1, Hkv: 1, T: N, S: N, D: 1 },
      oracle as unknown as Oracle,
      maskSpec && { maskSpec, rowSums: "free" },
    );

  it("refuses it, and says what works in turns", () => {
    const map = layerMap(layer());
    const rest =
      "one call must recompute at most 536870912 weights of q and k, got 1073741824; take tileSteps, which works in " +
      "turns, or give layerMap a computer such as kernelMaps";
    for (const [op, work] of [
      ["tile", () => map.tile(0, map.levels - 1, 0, 0)],
      ["pooled", () => map.pooled(0, 512)],
    ] as const)
      expect(work).toThrow(expect.objectContaining({ code: "LIMIT", message: `${op}: ${rest}` }));
    const steps = map.tileSteps(0, map.levels - 1, 0, 0);
    expect(steps.next().done).toBe(false);
  });

  it("leaves it to what is faster, and does what a mask makes small", () => {
    const none = { rows: 0, columns: 0, values: new Float32Array(), kinds: new Uint8Array() };
    expect(layerMap(layer(), "qk", { pooled: () => none }).pooled(0, 512)).toBe(none);
    const banded = layerMap(layer({ left: 7, right: 0 }));
    expect(banded.tile(0, banded.levels - 1, 0, 0).rows).toBe(256);
    expect(layerMap(layer()).tile(0, 0, 3, 5).values[0]).toBeCloseTo(1 / N, 10);
  });
});

describe("a map of stored weights", () => {
  it("tells hidden keys and numbers that are not finite from weights", () => {
    const map = denseMap({
      H: 1,
      T: 2,
      S: 3,
      weights: [0, 0.5, 9, Number.NaN, 1, Infinity],
      mask: [1, 1, 0].concat([1, 1, 1]),
    });
    expect([...map.rows(0, 0, 2).kinds]).toEqual([VALUE, VALUE, MASKED, NOT_FINITE, VALUE, NOT_FINITE]);
    expect([...map.rows(0, 0, 2).values]).toEqual([0, 0.5, 0, 0, 1, 0]);
  });

  it("reads every encoding, and what u8log says is hidden", () => {
    const { weights } = attend({ H: 2, Hkv: 2, T: 3, S: 5, D: 2 }, { maskSpec: { right: 1 } });
    const visible = weights.map((w) => (w > 0 ? 1 : 0));
    for (const encoding of ["f32", "f64", "f16", "u8log"] as const) {
      const attn = traceTensor([2, 3, 5], weights, encoding, visible);
      const maskSpec = encoding === "u8log" ? {} : { maskSpec: { right: 1 } };
      const tokens = { tgt: names("t", 3), src: names("s", 5) };
      const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn, ...maskSpec }] });
      const error = { f64: 2 ** -24, f32: 2 ** -24, f16: 2 ** -11, u8log: 0.0278 }[encoding];
      expect(worst(layerMap(trace.layers[0]!), weights)).toBeLessThanOrEqual(error);
    }
  });

  it.each([
    ["float64", Float64Array],
    ["float32", Float32Array],
  ])(
    "makes tiles of any level as pooling the whole map does, with odd and unequal sides, of %s",
    (_, Kept) => {
      const [T, S] = [531, 787];
      const oracle = attend({ H: 2, Hkv: 2, T, S, D: 2 }, { maskSpec: { right: 0, offset: 200 } });
      const weights = Kept.from(oracle.weights);
      // In a block whose first row is read before them.
      weights[(T + 301) * S + 211] = Number.NaN;
      weights[(T + 307) * S + 223] = Infinity;
      const map = denseMap({ H: 2, T, S, weights, maskSpec: { right: 0, offset: 200 } });
      expect(map.levels).toBe(3);
      const whole = map.rows(1, 0, T);
      for (let level = 0; level < map.levels; level++)
        for (const reduction of ["max", "mean", "maxAbs"] as const) {
          const pooled = pool(whole, 2 ** level, reduction);
          for (let y = 0; 256 * y < pooled.rows; y++)
            for (let x = 0; 256 * x < pooled.columns; x++) {
              const tile = map.tile(1, level, x, y, reduction);
              expect(tile.rows).toBe(Math.min(256, pooled.rows - 256 * y));
              expect(tile.columns).toBe(Math.min(256, pooled.columns - 256 * x));
              for (let row = 0; row < tile.rows; row++) {
                const from = (256 * y + row) * pooled.columns + 256 * x;
                const line = (cells: { values: Float32Array; kinds: Uint8Array }, at: number) => [
                  cells.values.subarray(at, at + tile.columns),
                  cells.kinds.subarray(at, at + tile.columns),
                ];
                const [got, expected] = [line(tile, row * tile.columns), line(pooled, from)];
                if (got.some((part, n) => part.some((value, at) => value !== expected[n]![at])))
                  expect.fail(`tile ${x}, ${y} of level ${level}, row ${row}`);
              }
            }
        }
    },
  );

  it("gives a tile in steps, each of one row that has a key in it", () => {
    const weights = Float32Array.of(1, 0, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5);
    const map = denseMap({ H: 1, T: 3, S: 3, weights, maskSpec: { right: 0 } });
    const steps = map.tileSteps(0, 0, 0, 0);
    for (let row = 0; row < 3; row++) expect(steps.next()).toEqual({ done: false, value: undefined });
    expect(steps.next()).toEqual({ done: true, value: map.tile(0, 0, 0, 0) });
  });

  it("gives the column of a key, hidden where no query may attend to it", () => {
    const weights = [1, 0, 0, 0.5, 0.5, 0, 0.25, Number.NaN, 0.5];
    const map = denseMap({ H: 1, T: 3, S: 3, weights, maskSpec: { right: 0 } });
    expect(map.column(0, 1)).toEqual({
      ...{ rows: 3, columns: 1, values: Float32Array.of(0, 0.5, 0) },
      kinds: Uint8Array.of(MASKED, VALUE, NOT_FINITE),
    });
    const layer = qkLayer(SIZES, attend(SIZES));
    const { H, T, S } = SIZES;
    for (let key = 0; key < S; key++) {
      const rows = layerMap(layer)
        .rows(H - 1, 0, T)
        .values.filter((_, e) => e % S === key);
      expect(layerMap(layer).column(H - 1, key).values).toEqual(rows);
    }
    expect(() => map.column(0, 3)).toThrow("column: key must be an integer from 0 to 2, got 3");
  });

  it("refuses heads, queries, levels and tiles that there are not", () => {
    const map = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0, 1] });
    expect(() => map.row(1, 0)).toThrow("rows: head must be an integer from 0 to 0, got 1");
    expect(() => map.row(0, 2)).toThrow("row: query must be an integer from 0 to 1, got 2");
    expect(() => map.tile(0, 1, 0, 0)).toThrow("tile: level must be an integer from 0 to 0, got 1");
    expect(() => map.tile(0, 0, 1, 0)).toThrow("tile: x must be an integer from 0 to 0, got 1");
    expect(() => map.tile(0, 0, 0, 0, "min" as "max")).toThrow(
      "tile: reduction must be max or mean or maxAbs, got min",
    );
    expect(() => denseMap({ H: 1, T: 2, S: 2, weights: [1] })).toThrow(
      "weights must hold H·T·S = 4 numbers, got 1",
    );
    expect(() => denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0, 1], mask: [1] })).toThrow(
      "mask must hold T·S = 4",
    );
  });
});

describe("a map of listed weights", () => {
  const sparse = {
    H: 2,
    T: 2,
    S: 5,
    starts: [0, 2, 3, 3, 4],
    keys: [1, 4, 0, 2],
    weights: [0.25, 0.75, 1, Number.NaN],
  };

  it("shows what is listed, and the rest as hidden or as zero", () => {
    const map = sparseMap(sparse);
    expect([...map.row(0, 0).values]).toEqual([0, 0.25, 0, 0, 0.75]);
    expect([...map.row(0, 0).kinds]).toEqual([MASKED, VALUE, MASKED, MASKED, VALUE]);
    expect([...map.row(1, 0).kinds]).toEqual(new Array(5).fill(MASKED));
    expect([...map.row(1, 1).kinds]).toEqual([MASKED, MASKED, NOT_FINITE, MASKED, MASKED]);
    expect([...sparseMap({ ...sparse, unlisted: "zero" }).row(0, 0).kinds]).toEqual(new Array(5).fill(VALUE));
  });

  it("finds the entries of a tile in the middle of rows", () => {
    const S = 600;
    const keys = Int32Array.from({ length: S / 3 }, (_, n) => 3 * n);
    const map = sparseMap({ H: 1, T: 1, S, starts: [0, keys.length], keys, weights: keys.map((s) => s) });
    const tile = map.tile(0, 0, 1, 0);
    expect(tile.values[2]).toBe(258);
    expect(tile.kinds.filter((kind) => kind === VALUE)).toHaveLength(86 - 1);
  });

  it("refuses lists that do not fit", () => {
    expect(() => sparseMap({ ...sparse, keys: [4, 1, 0, 2] })).toThrow(
      "sparseMap: keys[1] must be an integer from 5 to 4, growing with each query, got 1",
    );
    expect(() => sparseMap({ ...sparse, keys: [1, 4, 5, 2] })).toThrow(
      "keys[2] must be an integer from 0 to 4",
    );
    expect(() => sparseMap({ ...sparse, keys: [1] })).toThrow(
      "sparseMap: keys must hold starts[H·T] = 4 numbers, got 1",
    );
    expect(() => sparseMap({ ...sparse, starts: [0] })).toThrow(
      "sparseMap: starts must hold H·T + 1 = 5 numbers, got 1",
    );
  });
});

it("what is no layer is refused, as the whole trace and a layer that is not there", () => {
  for (const given of [{ layers: [], tokens: {} }, undefined])
    expect(() => layerMap(given as never)).toThrow(
      "layerMap: layer must have its weights, or q, k and lse to recompute them, got none; pass trace.layers[0]",
    );
});
