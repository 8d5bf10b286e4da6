import { describe, expect, it } from "vitest";
import { denseMap, gradientRelevance, MASKED, valueNormMap } from "../../../src/inspect/index.ts";

const [H, T] = [3, 5];
const numbers = (n: number, seed: number) =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(seed + 3 * i + i * i));

describe("gradientRelevance", () => {
  it("is R + Ā·R from the identity on, Ā the mean of what gradient times weight has above 0", () => {
    const weights = [0, 1, 2].map((l) => numbers(H * T * T, l).map(Math.abs));
    const gradients = [0, 1, 2].map((l) => numbers(H * T * T, 10 + l));
    let R = Array.from({ length: T }, (_, t) => Array.from({ length: T }, (_, s) => Number(t === s)));
    for (let l = 0; l < 3; l++) {
      const A = (t: number, s: number) => {
        let sum = 0;
        for (let h = 0; h < H; h++) {
          const e = (h * T + t) * T + s;
          sum += Math.max(0, Math.fround(weights[l]![e]!) * gradients[l]![e]!);
        }
        return sum / H;
      };
      R = R.map((row, t) => row.map((r, s) => r + R.reduce((sum, from, m) => sum + A(t, m) * from[s]!, 0)));
    }
    const maps = weights.map((w) => denseMap({ H, T, S: T, weights: w, rowSums: "free" }));
    const found = gradientRelevance(maps, gradients).weights;
    // Sums of 3·5 products a layer in float64, of numbers that grow to some hundreds.
    for (const [e, r] of R.flat().entries())
      expect(Math.abs(found[e]! - r)).toBeLessThan(1e-12 * Math.abs(r) + 1e-12);
  });

  it("takes a prefix, which nothing mixes: [T, S] with the prefix first", () => {
    const map = denseMap({ H: 1, T: 1, S: 2, weights: [0.5, 0.5], maskSpec: { right: 0, offset: 1 } });
    // R = [0 1], then + ½·2·[1 0] + ½·4·[0 1] = [1 3], then + 1·[1 0] + 2·[1 3] = [4 9].
    const { weights, map: found } = gradientRelevance(
      [map, map],
      [
        [2, 4],
        [2, 4],
      ],
    );
    expect([...weights]).toEqual([4, 9]);
    expect([found.T, found.S]).toEqual([1, 2]);
  });

  it("reads nothing in hidden places, and refuses gradients of another size", () => {
    const map = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0.5, 0.5], maskSpec: { right: 0 } });
    expect([...gradientRelevance([map], [[1, Number.NaN, 1, 1]]).weights]).toEqual([2, 0, 0.5, 1.5]);
    expect(() => gradientRelevance([map], [[1, 2, 3]])).toThrow(
      "gradientRelevance: gradients[0] must hold [H, T, S] = 4 numbers, got 3",
    );
    expect(() => gradientRelevance([map], [])).toThrow(
      "gradientRelevance: the number of gradients must be 1, one for each layer, got 0",
    );
    expect(() => gradientRelevance([map], [[1, 2, Number.NaN, 4]])).toThrow(
      "gradientRelevance: the gradient of head 0, query 1, key 0 must be a finite number, got NaN",
    );
  });
});

describe("valueNormMap", () => {
  it("multiplies each weight by the norm of its key's value, which grouped heads share", () => {
    const weights = numbers(4 * 2 * 3, 1).map(Math.abs);
    const map = denseMap({ H: 4, T: 2, S: 3, weights, rowSums: "free", maskSpec: { right: 0 } });
    const norms = [1, 2, 3, 4, 5, 6];
    const found = valueNormMap(map, norms);
    expect(found.rowSums).toBe("free");
    expect(found.tile(3, 0, 0, 0)).toEqual(found.rows(3, 0, 2));
    for (let h = 0; h < 4; h++)
      for (let t = 0; t < 2; t++) {
        const { values, kinds } = found.row(h, t);
        for (let s = 0; s < 3; s++) {
          if (s > t) expect(kinds[s]).toBe(MASKED);
          else
            expect(values[s]).toBe(
              Math.fround(Math.fround(weights[(h * 2 + t) * 3 + s]!) * norms[(h >> 1) * 3 + s]!),
            );
        }
      }
  });

  it("refuses norms that are not [Hkv, S], and what is no length", () => {
    const map = denseMap({ H: 4, T: 1, S: 2, weights: new Float32Array(8).fill(0.5) });
    for (const size of [0, 3, 6])
      expect(() => valueNormMap(map, new Float32Array(size))).toThrow(
        "valueNormMap: norms must hold [Hkv, S]",
      );
  });
});
