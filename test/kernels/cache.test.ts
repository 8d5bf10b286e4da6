/** Decoding on typed arrays, against the reference over the whole sequence. */
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { MemoryError, OptionError, ShapeError } from "../../src/core/errors.ts";
import { RandomStream } from "../../src/core/random.ts";
import { attention, type CacheSizes, init, KeyValueCache, shutdown } from "../../src/kernels/index.ts";

afterEach(() => vi.restoreAllMocks());

const normals = (n: number, seed: number) => {
  const random = new RandomStream(seed);
  return Float32Array.from({ length: n }, () => random.normal());
};

interface Tokens {
  readonly sizes: Required<CacheSizes>;
  readonly S: number;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

function tokensOf(sizes: Required<CacheSizes>, S: number, seed = 1): Tokens {
  const { B, H, Hkv, D, Dv } = sizes;
  return {
    ...{ sizes, S },
    q: normals(B * H * S * D, seed),
    k: normals(B * Hkv * S * D, seed + 1),
    v: normals(B * Hkv * S * Dv, seed + 2),
  };
}

/** Tokens [first, end) of x [heads, S, width]; those of example b begin `shifts[b]` later. */
function slice(x: Float32Array, S: number, width: number, first: number, end: number): Float32Array {
  const heads = x.length / (S * width);
  const out = new Float32Array(heads * (end - first) * width);
  for (let h = 0; h < heads; h++)
    out.set(x.subarray((h * S + first) * width, (h * S + end) * width), h * (end - first) * width);
  return out;
}

function append(cache: KeyValueCache, { sizes: { D, Dv }, S, k, v }: Tokens, first: number, end: number) {
  cache.append(slice(k, S, D, first, end), slice(v, S, Dv, first, end));
}

const attend = (cache: KeyValueCache, { sizes: { D }, S, q }: Tokens, first: number, end: number) =>
  cache.attend(slice(q, S, D, first, end));

/** What the reference gives queries [first, end) of the whole, which see what is before them. */
function expected(tokens: Tokens, first: number, end: number, window?: number, scale?: number) {
  const { sizes, S, q, k, v } = tokens;
  const { B, H, Hkv, D, Dv } = sizes;
  const [wideQ, wideK, wideV] = [
    slice(q, S, D, first, end),
    slice(k, S, D, 0, end),
    slice(v, S, Dv, 0, end),
  ].map((x) => Float64Array.from(x)) as [Float64Array, Float64Array, Float64Array];
  const shapes = { B, H, Hkv, D, Dv, T: end - first, S: end };
  return attention(wideQ, wideK, wideV, shapes, {
    causal: "bottomRight",
    ...(window !== undefined && { window: { left: window - 1 } }),
    ...(scale !== undefined && { scale }),
  });
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce(
    (most, x, n) => Math.max(most, Object.is(x, b[n]) || x === b[n] ? 0 : Math.abs(x - b[n]!)),
    0,
  );
};
/** A mean of normal numbers, summed in float32: 2⁻²⁴ a term at most, and they are below 4. */
const TOLERANCE = 1e-5;

const SIZES: Record<string, Required<CacheSizes>> = {
  "grouped heads, odd widths": { B: 2, H: 6, Hkv: 3, D: 5, Dv: 7 },
  "strips and what is left of them": { B: 1, H: 2, Hkv: 2, D: 37, Dv: 67 },
  "one strip": { B: 1, H: 3, Hkv: 1, D: 64, Dv: 32 },
};

describe.each(["relaxed", "plain"] as const)("A cache on the %s build", (build) => {
  beforeAll(() => init({ build }));

  // The builds differ in their multiply-adds alone.
  const given = Object.entries(SIZES).slice(build === "relaxed" ? 0 : 1, build === "relaxed" ? 3 : 2);
  describe.each(given)("%s", (_, sizes) => {
    it("gives what the whole sequence gives, in a prompt and steps, over the end of a chunk", () => {
      const tokens = tokensOf(sizes, 1033);
      const cache = new KeyValueCache(sizes);
      for (const [first, end] of [
        [0, 67],
        [67, 68],
        [68, 1017],
        ...Array.from({ length: 16 }, (_, n) => [1017 + n, 1018 + n]),
      ] as [number, number][]) {
        append(cache, tokens, first, end);
        // The last queries of a long prompt are enough.
        const from = Math.max(first, end - 23);
        const { output, lse } = attend(cache, tokens, from, end);
        const wanted = expected(tokens, from, end);
        expect(worst(output, wanted.output)).toBeLessThan(TOLERANCE);
        expect(worst(lse, wanted.lse)).toBeLessThan(TOLERANCE);
      }
      expect([...cache.lengths]).toEqual(new Array(sizes.B).fill(1033));
      cache.dispose();
    });

    it.each([1, 7, 1031])("keeps a ring of %i tokens", (window) => {
      const tokens = tokensOf(sizes, 1040, 4);
      const cache = new KeyValueCache(sizes, { window });
      // A prompt that is longer than most windows, then steps.
      append(cache, tokens, 0, 1023);
      for (let t = 1023; t < 1036; t++) {
        append(cache, tokens, t, t + 1);
        const { output, lse } = attend(cache, tokens, t, t + 1);
        const wanted = expected(tokens, t, t + 1, window);
        expect(worst(output, wanted.output)).toBeLessThan(TOLERANCE);
        expect(worst(lse, wanted.lse)).toBeLessThan(TOLERANCE);
      }
    });
  });

  it("keeps examples of different lengths apart, whatever stands in their padding", () => {
    const sizes = { B: 3, H: 2, Hkv: 1, D: 5, Dv: 3 };
    const tokens = tokensOf(sizes, 11, 7);
    const lengths = [11, 0, 4];
    for (const [x, heads, width] of [
      [tokens.q, 2, 5],
      [tokens.k, 1, 5],
      [tokens.v, 1, 3],
    ] as const)
      for (const [b, n] of lengths.entries())
        for (let h = 0; h < heads; h++)
          x.fill(Number.NaN, ((b * heads + h) * 11 + n) * width, (b * heads + h + 1) * 11 * width);
    const cache = new KeyValueCache(sizes);
    cache.append(tokens.k, tokens.v, { lengths });
    expect([...cache.lengths]).toEqual(lengths);
    const { output, lse } = cache.attend(tokens.q, { lengths });
    for (const [b, n] of lengths.entries()) {
      const own = (x: Float32Array, width: number) =>
        slice(x.subarray((b * x.length) / 3, ((b + 1) * x.length) / 3), 11, width, 0, n);
      const alone = { ...tokens, sizes: { ...sizes, B: 1 }, S: n };
      const part = { ...alone, q: own(tokens.q, 5), k: own(tokens.k, 5), v: own(tokens.v, 3) };
      if (n > 0) expect(worst(own(output, 3), expected(part, 0, n).output)).toBeLessThan(TOLERANCE);
      const padded = (x: Float32Array, width: number) =>
        slice(x.subarray((b * x.length) / 3, ((b + 1) * x.length) / 3), 11, width, n, 11);
      expect(padded(output, 3).every((x) => x === 0)).toBe(true);
      expect(padded(lse, 1).every((x) => x === -Infinity)).toBe(true);
    }
  });

  it("gives the same bits however tokens came", () => {
    const sizes = { B: 1, H: 4, Hkv: 2, D: 19, Dv: 37 };
    const tokens = tokensOf(sizes, 1040, 9);
    const prompt = new KeyValueCache(sizes);
    append(prompt, tokens, 0, 1040);
    const whole = attend(prompt, tokens, 950, 1040);
    const steps = new KeyValueCache(sizes);
    for (let t = 0; t < 1040; t++) append(steps, tokens, t, t + 1);
    expect(attend(steps, tokens, 950, 1040)).toEqual(whole);
    const { output } = attend(steps, tokens, 1039, 1040);
    expect(output).toEqual(slice(whole.output, 90, 37, 89, 90));
  });

  it("counts scores beyond float32, values that are none, and weights that vanish as the reference does", () => {
    const sizes = { B: 1, H: 1, Hkv: 1, D: 2, Dv: 33 };
    const S = 6;
    const q = new Float32Array(2 * S).fill(1e20);
    const k = Float32Array.from([1e20, 0, 1, 1, 1e20, 0, -1e20, 0, Number.NaN, 0, 1, 1]);
    const v = normals(33 * S, 3);
    // Row 1 and row 3 have no weight once row 0 is seen.
    v.fill(Infinity, 33, 34);
    v.fill(Number.NaN, 3 * 33, 3 * 33 + 2);
    const tokens = { sizes, S, q, k, v };
    const cache = new KeyValueCache(sizes);
    for (let t = 0; t < S; t++) {
      append(cache, tokens, t, t + 1);
      const { output, lse } = attend(cache, tokens, t, t + 1);
      // Float32 products: in float64 nothing overflows.
      const [want, sums] =
        t < 4
          ? [Array.from({ length: 33 }, (_, d) => (t < 2 ? v[d]! : (v[d]! + v[66 + d]!) / 2)), Infinity]
          : [new Array(33).fill(Number.NaN), Number.NaN];
      expect(worst(output, want)).toBeLessThan(TOLERANCE);
      expect(lse[0]).toBe(sums);
    }
  });

  it("takes the scale that it is told", () => {
    const tokens = tokensOf({ B: 1, H: 1, Hkv: 1, D: 3, Dv: 3 }, 5, 2);
    const cache = new KeyValueCache(tokens.sizes, { scale: -0.7 });
    append(cache, tokens, 0, 5);
    const wanted = expected(tokens, 0, 5, undefined, -0.7);
    expect(worst(attend(cache, tokens, 0, 5).output, wanted.output)).toBeLessThan(TOLERANCE);
  });
});

describe("A step of a cache", () => {
  const sizes = { B: 2, H: 4, Hkv: 2, D: 16, Dv: 8 };
  beforeAll(() => init());

  it("copies its own query, key and value in and its output out, however long the text is", () => {
    const cache = new KeyValueCache(sizes);
    const tokens = tokensOf(sizes, 1100, 5);
    append(cache, tokens, 0, 1099);
    const [k, v, q] = [
      slice(tokens.k, 1100, 16, 1099, 1100),
      slice(tokens.v, 1100, 8, 1099, 1100),
      tokens.q.slice(0, 128),
    ];
    let copied = 0;
    const set = Float32Array.prototype.set;
    vi.spyOn(Float32Array.prototype, "set").mockImplementation(function (this: Float32Array, from, at) {
      copied += 4 * from.length;
      set.call(this, from, at);
    });
    cache.append(k, v);
    expect(copied).toBe(k.byteLength + v.byteLength);
    copied = 0;
    const { output, lse } = cache.attend(q);
    expect(copied).toBe(q.byteLength + output.byteLength + lse.byteLength);
  });

  it("takes no memory in a ring, over a thousand steps, nor at a fixed capacity", () => {
    const token = tokensOf(sizes, 1, 3);
    for (const options of [{ window: 5 }, { capacity: 2001 }]) {
      const cache = new KeyValueCache(sizes, options);
      append(cache, token, 0, 1);
      const { bytes } = cache;
      for (let n = 0; n < 1000; n++) {
        append(cache, token, 0, 1);
        attend(cache, token, 0, 1);
        // Of a capacity that is longer than a chunk the chunks come as they are needed.
        if ("window" in options) expect(cache.bytes).toBe(bytes);
      }
      expect(cache.bytes).toBeLessThanOrEqual(bytes + 4 * 2 * 2 * 1024 * 24 + 65536);
      expect([...cache.lengths]).toEqual([1001, 1001]);
    }
  });
});

describe("A cache refuses", () => {
  const sizes = { H: 4, Hkv: 2, D: 3, Dv: 5 };
  beforeAll(() => init());
  const k = (T: number) => new Float32Array(6 * T);
  const v = (T: number) => new Float32Array(10 * T);
  const q = (T: number) => new Float32Array(12 * T);

  it.each([
    [
      { ...sizes, D: 0 },
      {},
      "KeyValueCache: sizes.D must be an integer ≥ 1, got 0; name the sizes of k and v",
    ],
    [
      { ...sizes, Hkv: 3 },
      {},
      "KeyValueCache: query heads H=4 must be a multiple of key/value heads Hkv=3, got 4 and 3; pass k and v with 1, 2 or 4 heads",
    ],
    [undefined, {}, "KeyValueCache: sizes must be an object, got undefined; name the sizes H and D"],
    [
      sizes,
      { window: 0 },
      "KeyValueCache: window must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      sizes,
      { capacity: 1.5 },
      "KeyValueCache: capacity must be an integer ≥ 1, got 1.5; choose one in that range or leave it out",
    ],
    [
      sizes,
      { scale: Number.NaN },
      "KeyValueCache: scale must be a finite number, got NaN; choose one in that range or leave it out",
    ],
  ])("sizes %o with %o", (given, options, message) => {
    expect(() => new KeyValueCache(given as CacheSizes, options)).toThrow(message);
  });

  it("arrays of another kind, or for a cache of other sizes, and adds nothing", () => {
    const cache = new KeyValueCache(sizes);
    expect(() => cache.append(new Float64Array(6) as never, v(1))).toThrow(
      "KeyValueCache.append: k must be a Float32Array, got Float64Array; convert it",
    );
    expect(() => cache.append(k(1), new Float32Array(11))).toThrow(ShapeError);
    expect(() => cache.append(k(1), new Float32Array(11))).toThrow(
      "KeyValueCache.append: v must have B·Hkv·T·Dv numbers, a multiple of 10 in this cache, got 11; give all tokens of this call, for a cache of these sizes",
    );
    expect(() => cache.append(k(2), v(1))).toThrow(
      "KeyValueCache.append: v must have as many tokens as k, T=2, got 1; give each new token its key and its value",
    );
    expect(() => cache.append(k(2), v(2), { lengths: [3] })).toThrow(
      "KeyValueCache.append: lengths must be B=1 integers from 0 to 2, got [3]; give one length per example",
    );
    expect([...cache.lengths]).toEqual([0]);
    cache.append(k(1), v(1));
    expect(() => cache.attend(new Float32Array(13))).toThrow(ShapeError);
  });

  it("queries that are no tokens of it, or whose keys a ring has given up", () => {
    const cache = new KeyValueCache(sizes, { window: 2 });
    expect(() => cache.attend(q(1))).toThrow(
      "KeyValueCache.attend: the queries of example 0 must be its last tokens, of which it has 0, got 1; append their keys and values first",
    );
    cache.append(k(3), v(3));
    expect(() => cache.attend(q(2))).toThrow(OptionError);
    expect(() => cache.attend(q(2))).toThrow(
      "KeyValueCache.attend: beyond the window of 2 tokens queries must come one by one, got 2 queries of 3 tokens; append and attend to one token at a time, or use attention with a window for a prompt",
    );
  });

  it("more tokens than its capacity, before it writes any", () => {
    const cache = new KeyValueCache(sizes, { capacity: 2 });
    cache.append(k(1), v(1));
    expect(() => cache.append(k(2), v(2))).toThrow(
      "KeyValueCache.append: an example must end within the capacity of 2 tokens, got 3; make the cache with a larger capacity, or without one",
    );
    expect([...cache.lengths]).toEqual([1]);
  });

  it("what memory has no room for, and goes on", () => {
    const B = 2 ** 16;
    const cache = new KeyValueCache({ B, H: 1, D: 16, Dv: 16 });
    const [many, one] = [new Float32Array(B * 16), [1, ...new Array(B - 1).fill(0)]];
    const { bytes } = cache;
    for (let n = 0; n < 2; n++) {
      expect(() => cache.append(many, many, { lengths: one })).toThrow(MemoryError);
      expect(() => cache.append(many, many, { lengths: one })).toThrow(
        /^KeyValueCache.append: keys and values must fit in a WebAssembly memory of at most 4 GiB, got \d+ bytes that could not be had; dispose caches that are done with, or keep fewer tokens with capacity or window$/,
      );
    }
    expect([cache.bytes, cache.lengths[0]]).toEqual([bytes, 0]);
  });

  it("to start where the machine has no memory at all", () => {
    vi.spyOn(WebAssembly, "Memory").mockImplementation(() => {
      throw new RangeError("could not allocate memory");
    });
    expect(() => new KeyValueCache(sizes)).toThrow(MemoryError);
  });

  it("calls after dispose, and before init", async () => {
    const cache = new KeyValueCache(sizes);
    cache.append(k(1), v(1));
    cache.dispose();
    cache.dispose();
    expect(cache.bytes).toBe(0);
    for (const call of [() => cache.append(k(1), v(1)), () => cache.attend(q(1))])
      expect(call).toThrow(OptionError);
    expect(() => cache.attend(q(1))).toThrow(
      "KeyValueCache.attend: a cache must be used before it is disposed, got a call after dispose; make another cache",
    );
    await shutdown();
    expect(() => new KeyValueCache(sizes)).toThrow(
      "KeyValueCache: float32 kernels must be compiled before they run",
    );
  });
});
