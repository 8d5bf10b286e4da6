/**
 * Scores that leave the range of numbers: +∞, be it of a product that overflows float32 or of a bias, takes all the
 * mass of its row, in equal shares with its like; −∞ hides; NaN makes its row NaN and no other.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import type { ProgramOptions } from "../../src/core/program.ts";
import { attention } from "../../src/kernels/attention.ts";
import { init } from "../../src/kernels/init.ts";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import { type Case, firstDifference, makeCase, runFused, runReference } from "./cases.ts";

/** Decoding, one block, many heads in one call, a head shared among calls, and grouped heads. */
const SHAPES: AttentionShapes[] = [
  { B: 1, T: 3, S: 107, H: 2, Hkv: 1, D: 5, Dv: 7 },
  { B: 2, T: 13, S: 29, H: 2, Hkv: 2, D: 5, Dv: 7 },
  { B: 1, T: 53, S: 211, H: 1, Hkv: 1, D: 3, Dv: 2 },
  { B: 1, T: 11, S: 401, H: 4, Hkv: 2, D: 2, Dv: 3 },
];

/** A bias that is `value` at these places [i, j]. */
function biasAt({ T, S }: AttentionShapes, places: readonly [number, number][], value: number): HostArray {
  const values = new Float32Array(T * S);
  for (const [i, j] of places) values[i * S + j] = value;
  return { shape: [T, S], dtype: "float32", values };
}

/** A difference of gradients is 2⁻²⁰ of the largest product that can stand in their sums. */
function tolerances({ program, q, k, v, dout }: Case): Record<string, number> {
  const most = (x: Float32Array) => x.reduce((a, b) => (Number.isNaN(b) ? a : Math.max(a, Math.abs(b))), 0);
  const { D, Dv, T, S, H, Hkv } = program.shapes;
  const dscore = most(dout) * most(v) * Dv;
  const small = 2 ** -18;
  return {
    ...{ output: small * most(v), weights: small, lse: 2 ** -12 },
    ...{ dq: small * dscore * most(k) * S * D, dk: small * dscore * most(q) * T * (H / Hkv) * D },
    ...{ dv: small * most(dout) * T * (H / Hkv), dbias: small * dscore, dsink: small * dscore * T },
  };
}

describe("Scores beyond all numbers", () => {
  let engines: AttentionEngine[];
  beforeAll(async () => {
    await init();
    engines = [new AttentionEngine("relaxed"), new AttentionEngine("plain")];
  });

  const expectAlike = (one: Case) => {
    const expected = runReference(one);
    for (const engine of engines) {
      expect(firstDifference(runFused(engine, one), expected, tolerances(one))).toBe("");
    }
    return expected;
  };

  it.each(SHAPES)("a bias of +∞ takes all the mass: T = $T, S = $S", (shapes) => {
    const bias = biasAt(
      shapes,
      [
        [1, 2],
        [2, 0],
        [2, shapes.S - 1],
      ],
      Infinity,
    );
    for (const options of [{}, { sink: 1.5 }, { softCap: 3 }] as ProgramOptions<HostArray>[]) {
      const { weights, lse } = expectAlike(makeCase(shapes, { bias, ...options }, 11));
      expect(weights![shapes.S + 2]).toBe(1);
      expect(weights![2 * shapes.S]).toBe(0.5);
      expect(lse![2]).toBe(Infinity);
    }
  });

  it.each(SHAPES)(
    "a product that overflows float32 does too, and below it hides: T = $T, S = $S",
    (shapes) => {
      const one = makeCase(shapes, {}, 12);
      const { D, S } = shapes;
      // Row 1 meets key 2 and the last with +∞, key 3 with −∞; the others do not look at the large number.
      for (let i = 0; i < one.q.length / D; i++) one.q[i * D] = 0;
      one.q.fill(0, D, 2 * D).fill(1e25, D, D + 1);
      for (const [j, size] of [
        [2, 1e25],
        [S - 1, 1e25],
        [3, -1e25],
      ] as const)
        one.k.fill(size, j * D, j * D + 1);
      const { weights } = expectAlike(one);
      expect([2, 3, S - 1].map((j) => weights![S + j])).toEqual([0.5, 0, 0.5]);
    },
  );

  it.each(SHAPES)("a row whose scores all overflow below sees nothing: T = $T, S = $S", (shapes) => {
    const one = makeCase(shapes, {}, 13);
    const { D } = shapes;
    one.q.fill(0, 0, D).fill(-1e25, 0, 1);
    for (let j = 0; j < shapes.S; j++) one.k.fill(1e25, j * D, j * D + 1);
    // The other queries must not overflow.
    for (let i = 1; i < one.q.length / D; i++) one.q[i * D] = 0;
    const { output, lse } = expectAlike(one);
    expect([output![0], lse![0]]).toEqual([0, -Infinity]);
  });

  it.each(SHAPES)("what is hidden does not count: T = $T, S = $S", (shapes) => {
    const allow = { shape: [1, shapes.S], dtype: "bool", values: new Uint8Array(shapes.S).fill(1) };
    allow.values[2] = 0;
    const { weights } = expectAlike(
      makeCase(shapes, { allow, bias: biasAt(shapes, [[1, 2]], Infinity) }, 14),
    );
    expect(weights![shapes.S + 2]).toBe(0);
  });

  it.each(SHAPES)("NaN stays in its row: T = $T, S = $S", (shapes) => {
    const one = makeCase(shapes, { causal: "topLeft" }, 15);
    one.q[shapes.D] = Number.NaN;
    const { output, dk } = expectAlike(one);
    const rows = Array.from({ length: shapes.T }, (_, i) => Number.isNaN(output![i * shapes.Dv]));
    expect(rows).toEqual(rows.map((_, i) => i === 1));
    // Key 2 is behind the query: its gradient is a number.
    expect(dk![2 * shapes.D]).not.toBeNaN();
  });

  it("float64 arrays give the same as float32 ones", () => {
    const sizes = { B: 1, H: 1, T: 1, S: 3, D: 1 };
    const [q, k, v] = [[1e20], [1e20, 1, 1e20], [2, 5, 4]];
    const narrow = attention(Float32Array.from(q!), Float32Array.from(k!), Float32Array.from(v!), sizes);
    const wide = attention(Float64Array.from(q!), Float64Array.from(k!), Float64Array.from(v!), sizes);
    expect([narrow.output[0], wide.output[0], narrow.lse[0], wide.lse[0]]).toEqual([
      3,
      3,
      Infinity,
      Infinity,
    ]);
  });
});

describe("Causal attention", () => {
  const CASES: [string, AttentionShapes, number][] = [
    ["many heads", { B: 2, T: 67, S: 67, H: 3, Hkv: 3, D: 8, Dv: 5 }, 1],
    ["one block", { B: 1, T: 13, S: 13, H: 1, Hkv: 1, D: 8, Dv: 5 }, 1],
    ["long heads", { B: 1, T: 431, S: 431, H: 1, Hkv: 1, D: 8, Dv: 5 }, 1],
    ["scores in the hundreds", { B: 1, T: 431, S: 431, H: 2, Hkv: 1, D: 8, Dv: 5 }, 100],
  ];
  it.each(CASES)("keeps every bit of a row when what comes after it changes: %s", (_, shapes, gain) => {
    for (const build of ["relaxed", "plain"] as const) {
      const engine = new AttentionEngine(build);
      const one = makeCase(shapes, { causal: true }, 5, gain);
      const before = engine.forward(one.program, one);
      const { B, H, Hkv, T, D, Dv } = shapes;
      // Made larger, out of the range where nothing is subtracted, beyond 2⁴⁰, infinite and NaN.
      for (const factor of [3, 1e3, 1e14, Infinity, Number.NaN]) {
        const from = Math.floor(T / 3) + 1;
        const changed = (x: Float32Array, heads: number, width: number) =>
          x.map((y, e) => (Math.floor(e / width) % T >= from && e < B * heads * T * width ? y * factor : y));
        const after = engine.forward(one.program, {
          ...{ q: changed(one.q, H, D), k: changed(one.k, Hkv, D), v: changed(one.v, Hkv, Dv) },
        });
        const kept = (x: Float32Array, width: number) => x.filter((_, e) => Math.floor(e / width) % T < from);
        expect(kept(after.output, Dv)).toEqual(kept(before.output, Dv));
        expect(kept(after.lse, 1)).toEqual(kept(before.lse, 1));
        expect(kept(after.lseLow, 1)).toEqual(kept(before.lseLow, 1));
      }
    }
  });

  it("takes values of any size that float32 can add", () => {
    const shapes: AttentionShapes = { B: 1, T: 31, S: 131, H: 1, Hkv: 1, D: 8, Dv: 5 };
    // Scores up to 30, so that e^score alone is 1e13.
    const one = makeCase(shapes, { scale: 2 }, 21, 2);
    one.v.forEach((x, e) => {
      one.v[e] = x * (e % 35 < 5 ? 1e35 : 1);
    });
    const expected = runReference(one);
    const got = runFused(new AttentionEngine("relaxed"), one);
    expect(firstDifference({ output: got.output! }, { output: expected.output! }, { output: 1e31 })).toBe("");
  });
});
