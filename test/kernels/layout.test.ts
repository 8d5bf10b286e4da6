import { beforeAll, describe, expect, it } from "vitest";
import {
  type AttentionOptions,
  type AttentionSizes,
  attention,
  attentionBackward,
  type FloatArray,
} from "../../src/kernels/attention.ts";
import { init } from "../../src/kernels/init.ts";
import { type Layout, RowLayout, relayout } from "../../src/kernels/layout.ts";
import { type Arrays, firstDifference, floats, holes, namedTensors, normal } from "./cases.ts";

beforeAll(() => init());

const SIZES = { B: 3, H: 6, Hkv: 2, T: 67, S: 53, D: 13, Dv: 7 };
type Sizes = Required<AttentionSizes>;
type Floats = Float32Array | Float64Array;

const WIDTHS = { q: "D", k: "D", v: "Dv", dout: "Dv" } as const;
type Name = keyof typeof WIDTHS;

function inputs({ B, H, Hkv, T, S, D, Dv }: Sizes): Record<Name, Float32Array> {
  const [q, dout] = [normal(1, B * H * T * D), normal(4, B * H * T * Dv)];
  return { q, k: normal(2, B * Hkv * S * D), v: normal(3, B * Hkv * S * Dv), dout };
}

/** Moves an array of padded sequences, heads first, to a layout, or back. */
function move(
  x: Floats,
  name: Name,
  { B, H, Hkv, T, S, ...widths }: Sizes,
  layout: Layout,
  lengths: { queries?: number[]; keys?: number[] } = {},
  back = false,
): Floats {
  const isKey = name === "k" || name === "v";
  const [heads, length, own] = isKey ? [Hkv, S, lengths.keys] : [H, T, lengths.queries];
  const plain = new RowLayout("bhtd", heads, length);
  const other = new RowLayout(layout, heads, length, own);
  const sizes = { B, width: widths[WIDTHS[name]], valid: (b: number) => own?.[b] ?? length };
  return back ? relayout(other, plain, x, sizes) : relayout(plain, other, x, sizes);
}

/** Everything a call gives, in the layout that it was given. */
function run(x: Record<Name, FloatArray>, sizes: AttentionSizes, options: AttentionOptions): Arrays {
  const { output, lse, weights, saved } = attention(x.q, x.k, x.v, sizes, { ...options, weights: true });
  const dlse = (x.q.constructor as Float32ArrayConstructor).from(normal(5, lse.length)) as FloatArray;
  const { dtensors, ...gradients } = attentionBackward(x.dout, saved, dlse);
  return { output, lse, weights, ...gradients, ...namedTensors(dtensors) };
}

const NAMES = { output: "dout", dq: "q", dk: "k", dv: "v" } as const;

function moveResults(results: Arrays, sizes: Sizes, layout: Layout): Arrays {
  const moved = Object.entries(results).map(([name, x]) => {
    const like = NAMES[name as keyof typeof NAMES];
    return [name, like ? move(x as Floats, like, sizes, layout, {}, true) : x];
  });
  return Object.fromEntries(moved);
}

describe("Layouts", () => {
  const options: AttentionOptions = {
    causal: "bottomRight",
    bias: floats(7, [1, 6, 67, 53]),
    allow: holes(8, [3, 1, 1, 53]),
    keyLengths: [53, 0, 31],
    queryLengths: [67, 20, 41],
    sink: floats(9, [6]),
    dropout: { rate: 0.3, seed: 1 },
    training: true,
  };

  it.each<[string, AttentionOptions]>([
    ["no options", {}],
    ["many options", options],
    ["uniform empty rows", { ...options, onEmptyRow: "uniform" }],
  ])("positions first gives the bits of heads first, with %s", (_, options) => {
    const x = inputs(SIZES);
    const moved = Object.fromEntries(
      Object.entries(x).map(([name, array]) => [name, move(array, name as Name, SIZES, "bthd")]),
    ) as Record<Name, Float32Array>;
    const expected = run(x, SIZES, options);
    const got = moveResults(run(moved, SIZES, { ...options, layout: "bthd" }), SIZES, "bthd");
    expect(firstDifference(got, expected, {})).toBe("");
  });

  it("the oracle gives the same in every layout", () => {
    const sizes = { B: 2, H: 4, Hkv: 2, T: 5, S: 7, D: 3, Dv: 2 };
    const x = Object.fromEntries(
      Object.entries(inputs(sizes)).map(([name, array]) => [name, Float64Array.from(array)]),
    ) as Record<Name, Float64Array>;
    const moved = Object.fromEntries(
      Object.entries(x).map(([name, array]) => [name, move(array, name as Name, sizes, "bthd")]),
    ) as Record<Name, Float64Array>;
    const expected = run(x, sizes, { causal: "bottomRight" });
    const got = run(moved, sizes, { causal: "bottomRight", layout: "bthd" });
    expect(firstDifference(moveResults(got, sizes, "bthd"), expected, {})).toBe("");
  });
});

describe("Packed sequences", () => {
  const lengths = { queries: [67, 0, 31, 1, 50], keys: [53, 20, 0, 40, 50] };
  const sum = (x: number[]) => x.reduce((a, b) => a + b, 0);
  const padded = { B: 5, H: 4, Hkv: 2, T: 67, S: 53, D: 5, Dv: 3 };
  const packed = { ...padded, T: sum(lengths.queries), S: sum(lengths.keys) };
  const both = { queryLengths: lengths.queries, keyLengths: lengths.keys };

  /** Rows beyond a length hold NaN: nobody may look. */
  function dirty(x: Record<Name, Float32Array>): Record<Name, Float32Array> {
    const clean = Object.entries(x).map(([name, array]) => {
      const out = new Float32Array(array.length).fill(Number.NaN);
      const rows = move(array, name as Name, padded, "thd", lengths);
      const back = move(rows, name as Name, padded, "thd", lengths, true);
      const ones = move(rows.map(() => 1) as Floats, name as Name, padded, "thd", lengths, true);
      return [name, out.map((_, e) => (ones[e] ? back[e]! : Number.NaN))];
    });
    return Object.fromEntries(clean) as Record<Name, Float32Array>;
  }

  it.each<[string, AttentionOptions]>([
    ["no options", {}],
    ["the bottom right corner of each sequence", { causal: "bottomRight" }],
    ["a window", { causal: "topLeft", window: { left: 9 } }],
    [
      "a bias, a sink and dropout",
      { bias: floats(7, [1, 4, 67, 53]), sink: 0.5, dropout: { rate: 0.4, seed: 3 } },
    ],
  ])("give what padded ones give, bit for bit, with %s", (_, options) => {
    const x = dirty(inputs(padded));
    const thd = Object.fromEntries(
      Object.entries(x).map(([name, array]) => [name, move(array, name as Name, padded, "thd", lengths)]),
    ) as Record<Name, Float32Array>;
    const all = { ...options, ...both, training: true };
    const { output, lse, saved } = attention(thd.q, thd.k, thd.v, packed, { ...all, layout: "thd" });
    const gradients = attentionBackward(thd.dout, saved);
    const expected = attention(x.q, x.k, x.v, padded, all);
    const expectedGradients = attentionBackward(x.dout, expected.saved);
    const there = (name: Name, array: Floats) => move(array, name, padded, "thd", lengths);
    expect(output).toEqual(there("dout", expected.output));
    for (const name of ["q", "k", "v"] as const) {
      expect(gradients[`d${name}`]).toEqual(there(name, expectedGradients[`d${name}`]));
    }
    expect(gradients.dbias).toEqual(expectedGradients.dbias);
    expect(lse.length).toBe(4 * packed.T);
    // Sequence 2, head 3, query 30 is row 67 + 0 + 30.
    expect(lse[3 * packed.T + 97]).toBe(expected.lse[(2 * 4 + 3) * 67 + 30]);
  });

  it("agree with the oracle, which gets the same arrays in float64", () => {
    const n = { ...packed, B: 5 };
    const x = {
      q: normal(1, n.T * n.H * n.D),
      k: normal(2, n.S * n.Hkv * n.D),
      v: normal(3, n.S * n.Hkv * n.Dv),
      dout: normal(4, n.T * n.H * n.Dv),
    };
    const wide = Object.fromEntries(
      Object.entries(x).map(([name, array]) => [name, Float64Array.from(array)]),
    ) as Record<Name, Float64Array>;
    const options = { ...both, causal: "bottomRight", layout: "thd" } as const;
    const [got, expected] = [run(x, n, options), run(wide, n, options)];
    // Sums of at most 67 products of numbers of the order of 1: 2⁻²⁴ · 67 · a few.
    const tolerance = Object.fromEntries(Object.keys(expected).map((name) => [name, 5e-5]));
    expect(firstDifference(got, expected, tolerance)).toBe("");
  });

  it("may be very many", () => {
    const B = 131_071;
    const ones = new Int32Array(B).fill(1);
    const x = normal(1, B);
    const lengths = { queryLengths: ones, keyLengths: ones };
    const { output } = attention(x, x, x, { B, H: 1, T: B, S: B, D: 1 }, { layout: "thd", ...lengths });
    expect(output).toEqual(x);
  });

  it.each<[string, AttentionOptions, string]>([
    [
      "lengths that do not add up",
      { ...both, queryLengths: [67, 0, 31, 1, 49] },
      'attention: with layout: "thd" queryLengths must be B=5 integers ≥ 0 that add up to T=149, got [67, 0, 31, 1, 49]; give the number of rows of each packed sequence, and their total as T',
    ],
    [
      "no lengths of keys",
      { queryLengths: lengths.queries },
      'attention: with layout: "thd" keyLengths must be B=5 integers ≥ 0 that add up to S=163, got []; give the number of rows of each packed sequence, and their total as S',
    ],
    [
      "causality without a corner",
      { ...both, causal: true },
      'attention: causal: true must have T = S, got T=67 and S=53; say which corner is aligned with causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the first query',
    ],
    [
      "a layout nobody knows",
      { layout: "tbhd" as Layout },
      'attention: layout must be "bhtd" or "bthd" or "thd", got tbhd; choose one of them',
    ],
  ])("are refused with %s", (_, options, message) => {
    const n = packed;
    const [q, k, v] = [n.T * n.H * n.D, n.S * n.Hkv * n.D, n.S * n.Hkv * n.Dv].map(
      (length) => new Float32Array(length),
    ) as [Float32Array, Float32Array, Float32Array];
    expect(() => attention(q, k, v, n, { layout: "thd", ...options })).toThrow(message);
  });
});
