import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { type AltiLayer, alti, denseMap } from "../../../src/inspect/index.ts";

const [H, Hkv, T, S, Dv, C] = [4, 2, 3, 5, 2, 7];
const random = new RandomStream(5);
const normal = (n: number) => random.fillNormal(new Float64Array(n));

function layerOf(T: number, S: number, postNorm: boolean): AltiLayer {
  const weights = normal(H * T * S).map(Math.exp);
  for (let row = 0; row < weights.length; row += S) {
    const limit = S - T + ((row / S) % T);
    for (let s = limit + 1; s < S; s++) weights[row + s] = 0;
    const sum = weights.subarray(row, row + S).reduce((a, b) => a + b, 0);
    for (let s = 0; s < S; s++) weights[row + s]! /= sum;
  }
  return {
    map: denseMap({ H, T, S, weights, maskSpec: { right: 0, ...(S > T && { offset: S - T }) } }),
    values: normal(Hkv * S * Dv),
    projection: normal(H * Dv * C),
    residual: normal(T * C),
    bias: normal(C),
    ...(postNorm && { norm: { gamma: normal(C), beta: normal(C), epsilon: 1e-5 } }),
  };
}

/** C by the definition: the block's output, and what is left of it without one input's own part of the linear map. */
function oracle({ map, values, projection, residual, bias, norm }: AltiLayer, t: number): number[] {
  const { T, S } = map;
  const part = (s: number) =>
    Array.from({ length: C }, (_, c) => {
      let sum = s === S - T + t ? residual[t * C + c]! : 0;
      for (let h = 0; h < H; h++)
        for (let d = 0; d < Dv; d++)
          sum +=
            map.row(h, t).values[s]! *
            values[((h < 2 ? 0 : 1) * S + s) * Dv + d]! *
            projection[(h * Dv + d) * C + c]!;
      return sum;
    });
  const parts = Array.from({ length: S }, (_, s) => part(s));
  const z = Array.from({ length: C }, (_, c) => parts.reduce((sum, p) => sum + p[c]!, bias![c]!));
  const mean = (x: number[]) => x.reduce((a, b) => a + b, 0) / C;
  const sigma = norm ? Math.sqrt(mean(z.map((x) => (x - mean(z)) ** 2)) + norm.epsilon) : 1;
  const linear = (x: number[]) => (norm ? x.map((one, c) => (norm.gamma[c]! * (one - mean(x))) / sigma) : x);
  const y = linear(z).map((x, c) => x + (norm?.beta[c] ?? 0));
  const size = (x: number[]) => x.reduce((sum, one) => sum + Math.abs(one), 0);
  const helped = parts.map((p) => {
    const own = linear(p);
    return Math.max(0, size(y) - size(y.map((x, c) => x - own[c]!)));
  });
  const sum = helped.reduce((a, b) => a + b, 0);
  // A row in which nothing helps stays what it was.
  return helped.map((x, s) => (sum > 0 ? x / sum : Number(s === S - T + t)));
}

describe("alti", () => {
  it.each([
    ["behind the sum", T, S, true],
    ["before it, of a prefix", T, S, false],
    ["behind it, of a whole sequence", S, S, true],
  ] as const)("is the definition, with a norm %s", (_, T, S, postNorm) => {
    const layer = layerOf(T, S, postNorm);
    const { weights } = alti([layer]);
    for (let t = 0; t < T; t++) {
      const expected = oracle(layer, t);
      for (let s = 0; s < S; s++) expect(weights[t * S + s]).toBeCloseTo(expected[s]!, 5);
    }
  });

  it("multiplies layers, rows sum to 1, and hidden inputs get nothing", () => {
    const [a, b] = [layerOf(S, S, true), layerOf(S, S, true)];
    const [one, two] = [alti([a]).weights, alti([b]).weights];
    const { weights } = alti([a, b]);
    for (let t = 0; t < S; t++) {
      let sum = 0;
      for (let s = 0; s < S; s++) {
        let expected = 0;
        for (let r = 0; r < S; r++) expected += two[t * S + r]! * one[r * S + s]!;
        expect(weights[t * S + s]).toBeCloseTo(expected, 12);
        if (s > t) expect(weights[t * S + s]).toBe(0);
        sum += weights[t * S + s]!;
      }
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  it("says which array has another length", () => {
    const layer = layerOf(T, S, true);
    expect(() => alti([{ ...layer, bias: [1] }])).toThrow(
      `alti: bias of layer 0 must hold [C] = ${C} numbers, got 1; pass the whole array, row-major and not detached`,
    );
    expect(() => alti([{ ...layer, values: [1] }])).toThrow(
      /^alti: values of layer 0 must hold \[Hkv, S, Dv\]/,
    );
    expect(() => alti([{ ...layer, projection: [1] }])).toThrow(/^alti: projection of layer 0 must hold/);
  });
});
