import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { denseMap, rollout } from "../../../src/inspect/index.ts";
import { distributions, head } from "../support.ts";

const T = 4;
const even = (length: number) =>
  head(
    length,
    length,
    Float64Array.from({ length: length ** 2 }, (_, e) =>
      e % length <= Math.floor(e / length) ? 1 / (Math.floor(e / length) + 1) : 0,
    ),
    { right: 0 },
  );

/** Layers of H heads of T × T whose rows sum to 1. */
const stack = fc.array(distributions(3 * T, T), { minLength: 1, maxLength: 4 });
const layersOf = (weights: readonly Float64Array[]) =>
  weights.map((w) => denseMap({ H: 3, T, S: T, weights: w }));

describe("rollout", () => {
  it("is the product of (mean + I) / 2, last layer leftmost, and its rows sum to 1", () => {
    fc.assert(
      fc.property(stack, (weights) => {
        let expected = Array.from({ length: T }, (_, t) =>
          Array.from({ length: T }, (_, s) => Number(t === s)),
        );
        for (const layer of weights) {
          const A = (t: number, s: number) =>
            ([0, 1, 2].reduce((sum, h) => sum + Math.fround(layer[(h * T + t) * T + s]!), 0) / 3 +
              Number(t === s)) /
            2;
          expected = expected.map((_, t) =>
            expected.map((_, s) => expected.reduce((sum, row, m) => sum + A(t, m) * row[s]!, 0)),
          );
        }
        const { weights: found, map } = rollout(layersOf(weights));
        // Rows of float32 weights sum to 1 within T·2⁻²⁴, so scaling moves them by that much a layer.
        for (const [e, x] of expected.flat().entries())
          expect(Math.abs(found[e]! - x)).toBeLessThan(4 * T * 2 ** -24);
        for (let t = 0; t < T; t++) {
          const sum = found.subarray(t * T, (t + 1) * T).reduce((total, x) => total + x, 0);
          expect(Math.abs(sum - 1)).toBeLessThan(1e-14);
        }
        expect(map.row(0, 1).values[2]).toBe(Math.fround(found[T + 2]!));
      }),
    );
  });

  it("sums rows to 1 with the largest and the smallest of the heads, and with causal normalisation", () => {
    fc.assert(
      fc.property(
        stack,
        fc.constantFrom("max" as const, "min" as const, "mean" as const),
        fc.boolean(),
        (weights, heads, causal) => {
          const { weights: found } = rollout(layersOf(weights), { heads, causal });
          for (let t = 0; t < T; t++)
            expect(found.subarray(t * T, (t + 1) * T).reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 13);
        },
      ),
    );
  });

  it("takes the largest or smallest weight of the heads, worked by hand", () => {
    const two = denseMap({ H: 2, T: 2, S: 2, weights: [1, 0, 0.5, 0.5, 1, 0, 0.25, 0.75] });
    // max: (½, ¾ + 1)/2.25; min: (¼, ½ + 1)/1.75.
    expect(rollout([two], { heads: "max" }).weights[2]).toBeCloseTo(0.5 / 2.25, 15);
    expect(rollout([two], { heads: "min" }).weights[2]).toBeCloseTo(0.25 / 1.75, 15);
  });

  it("without identity is the plain product, where a query that sees nothing has a row of 0; with it, keeps itself", () => {
    const layer = head(2, 2, [0.5, 0.5, 0, 0]);
    expect([...rollout([layer, layer], { identity: false }).weights]).toEqual([0.25, 0.25, 0, 0]);
    expect([...rollout([layer, layer]).weights.subarray(2)]).toEqual([0, 1]);
  });

  it("gathers on the first tokens below a causal mask whatever the weights are, and `causal` takes that away", () => {
    const layers = [even(6), even(6), even(6)];
    const { weights: plain, map } = rollout(layers);
    expect(plain[5 * 6]!).toBeGreaterThan(3 * plain[5 * 6 + 4]!);
    const { weights } = rollout(layers, { causal: true });
    for (let t = 0; t < 6; t++)
      for (let s = 0; s < 6; s++) expect(weights[t * 6 + s]).toBeCloseTo(s <= t ? 1 / (t + 1) : 0, 6);
    expect(map.row(0, 0).kinds[1]).toBe(1);
  });

  it("takes a prefix: keys before the first query, which stay what they are in every layer", () => {
    // Two keys without queries, then two queries. Worked by hand, A the weights with the identity added and halved:
    // layer 1: (1/4 0 3/4 0) and (0 1/4 1/4 1/2); layer 2 the same; rows of the prefix are the identity's.
    const layer = head(2, 4, [0.5, 0, 0.5, 0, 0, 0.5, 0.5, 0], { right: 0, offset: 2 });
    const { weights, map } = rollout([layer, layer]);
    expect([...weights]).toEqual([
      ...[1 / 4 + (3 / 4) * (1 / 4), 0, (3 / 4) * (3 / 4), 0],
      ...[(1 / 4) * (1 / 4), 1 / 4 + (1 / 2) * (1 / 4), (1 / 4) * (3 / 4) + (1 / 2) * (1 / 4), 1 / 4],
    ]);
    expect([map.T, map.S]).toEqual([2, 4]);
    expect([...map.row(0, 0).kinds]).toEqual([0, 0, 0, 1]);
  });

  it("with a prefix gives the rows of the whole that has the prefix as its own queries, each seeing itself", () => {
    fc.assert(
      fc.property(fc.array(distributions(3 * T, T), { minLength: 1, maxLength: 3 }), (stack) => {
        const rows = (weights: Float64Array, h: number) => weights.subarray((h * T + 2) * T, (h + 1) * T * T);
        const own = Float64Array.from({ length: 2 * T }, (_, e) => Number(e % T === Math.floor(e / T)));
        const [whole, part] = [
          stack.map((w) => {
            const all = Float64Array.from(w);
            for (let h = 0; h < 3; h++) all.set(own, h * T * T);
            return denseMap({ H: 3, T, S: T, weights: all });
          }),
          stack.map((w) => {
            const weights = Float64Array.from([0, 1, 2].flatMap((h) => [...rows(w, h)]));
            return denseMap({ H: 3, T: T - 2, S: T, weights, maskSpec: { offset: 2 } });
          }),
        ];
        for (const options of [{}, { heads: "max" as const }, { identity: false }]) {
          const [full, some] = [rollout(whole, options).weights, rollout(part, options).weights];
          for (const [e, x] of some.entries()) expect(Math.abs(x - full[2 * T + e]!)).toBeLessThan(1e-12);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("refuses layers with another prefix, or one that the mask does not tell", () => {
    const layer = (offset: number, S = 4) => head(2, S, new Float64Array(2 * S).fill(1 / S), { offset });
    expect(() => rollout([layer(1)])).toThrow(
      "rollout: every layer must be self-attention over the same positions, 2 × 2 here, got T=2 queries of S=4 keys in " +
        "layer 0; say maskSpec.offset = 2 where the first keys are a prefix, or use encoderDecoderRelevance for " +
        "attention to another sequence",
    );
    expect(() => rollout([layer(2), layer(0)])).toThrow(
      "2 × 4 here, got 2 × 4 with another maskSpec.offset in layer 1; pass the layers of one stack",
    );
    expect(() => rollout([layer(2), layer(3, 5)])).toThrow("2 × 4 here, got 2 × 5 in layer 1;");
  });

  it("refuses weights after dropout, cross-attention, layers of unequal length, no layer and unknown fusions", () => {
    const dropped = denseMap({ H: 1, T: 1, S: 1, weights: [2], rowSums: "dropped" });
    expect(() => rollout([even(1), dropped])).toThrow(
      expect.objectContaining({
        code: "NOT_DISTRIBUTION",
        message:
          "rollout: weights must be those before dropout, got weights after dropout in layer 1; capture the model with training: false",
      }),
    );
    expect(() => rollout([head(1, 2, [1, 0])])).toThrow(
      "rollout: every layer must be self-attention over the same positions, 1 × 1 here, got T=1 queries of S=2 keys in layer 0; say maskSpec.offset = 1 where the first keys are a prefix, or use encoderDecoderRelevance for attention to another sequence",
    );
    expect(() => rollout([even(2), even(3)])).toThrow("2 × 2 here, got 3 × 3 in layer 1");
    expect(() => rollout([])).toThrow("rollout: the number of layers must be 1 or more, got 0");
    expect(() => rollout([even(2)], { heads: "sum" as "mean" })).toThrow(
      "rollout: heads must be mean or max or min, got sum",
    );
  });
});
