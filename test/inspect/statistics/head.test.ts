import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { denseMap, gini, headStatistics, normalizedEntropy, topMass } from "../../../src/inspect/index.ts";
import { headGlance } from "../../../src/inspect/statistics/glance.ts";
import { distributions, head, randomNumbers } from "../support.ts";

const N = 7;
const matrix = (T: number, S: number, weight: (t: number, s: number) => number) =>
  Float64Array.from({ length: T * S }, (_, e) => weight(Math.floor(e / S), e % S));
const uniform = head(
  N,
  N,
  matrix(N, N, () => 1 / N),
);
const identity = head(
  N,
  N,
  matrix(N, N, (t, s) => (t === s ? 1 : 0)),
);
const shift = head(
  N,
  N,
  matrix(N, N, (t, s) => (s === Math.max(0, t - 1) ? 1 : 0)),
  { right: 0 },
);
const causal = head(
  N,
  N,
  matrix(N, N, (t, s) => (s <= t ? 1 / (t + 1) : 0)),
  { right: 0 },
);

describe("headStatistics", () => {
  it("of even attention: entropy 1, no sparsity, and every key gets the same", () => {
    const found = headStatistics(uniform, 0, { topK: 3, band: 1 });
    expect(found.queries).toBe(N);
    expect(found.entropy).toBeCloseTo(1, 6);
    expect(found.sparsity).toBeCloseTo(0, 6);
    expect(found.confidence).toBeCloseTo(1 / N, 6);
    expect(found.topMass).toBeCloseTo(3 / N, 6);
    // Σ |t − s| / N² = (N² − 1) / (3N).
    expect(found.distance).toBeCloseTo((N * N - 1) / (3 * N), 5);
    expect(found.lag).toBeCloseTo(0, 5);
    expect(found.diagonality).toBeCloseTo(0, 6);
    expect(found.bandMass).toBeCloseTo((3 * N - 2) / N / N, 6);
    expect(found.coverageSpread).toBeCloseTo(0, 6);
    expect([...found.columnMass].every((mass) => Math.abs(mass - 1) < 1e-6)).toBe(true);
    expect(found.sinkMass).toBeCloseTo(0, 6);
  });

  it("of the identity: distance 0, all on itself, entropy 0, a diagonal", () => {
    const found = headStatistics(identity, 0);
    expect(found).toMatchObject({ entropy: 0, sparsity: 1, confidence: 1, topMass: 1, distance: 0, lag: 0 });
    expect(found).toMatchObject({
      bandMass: 1,
      selfMass: 1,
      previousToken: 0,
      coverageSpread: 0,
      sinkMass: 0,
    });
    expect(found.firstToken).toBeCloseTo(1 / N, 12);
    expect(found.diagonality).toBeCloseTo(1, 12);
  });

  it("of a shift: all on the previous token, one position back", () => {
    const found = headStatistics(shift, 0);
    expect(found.previousToken).toBe(1);
    // Query 0 has none before it and looks at itself.
    expect(found.lag).toBeCloseTo(-(N - 1) / N, 12);
    expect(found.distance).toBeCloseTo((N - 1) / N, 12);
    expect(found.selfMass).toBeCloseTo(1 / N, 12);
  });

  it("counts hidden keys neither as weights nor towards n: even causal attention is even", () => {
    const found = headStatistics(causal, 0);
    expect(found.entropy).toBeCloseTo(1, 6);
    expect(found.sparsity).toBeCloseTo(0, 6);
    expect(found.rowEntropy[0]).toBeNaN();
    // Harmonic: key 0 gets 1/(t + 1) from every query.
    const harmonic = Array.from({ length: N }, (_, t) => 1 / (t + 1)).reduce((sum, x) => sum + x);
    expect(found.firstToken).toBeCloseTo(harmonic / N, 6);
    expect(found.columnMass[0]).toBeCloseTo(harmonic, 6);
  });

  it("finds a backwards diagonal, and a diagonal of unequal sides", () => {
    const backwards = head(
      N,
      N,
      matrix(N, N, (t, s) => (s === N - 1 - t ? 1 : 0)),
    );
    expect(headStatistics(backwards, 0).diagonality).toBeCloseTo(-1, 12);
    const wide = head(
      3,
      6,
      matrix(3, 6, (t, s) => (s === 2 * t ? 1 : 0)),
    );
    expect(headStatistics(wide, 0)).toMatchObject({ distance: 0, bandMass: 1 });
    expect(headStatistics(wide, 0).diagonality).toBeCloseTo(1, 12);
  });

  it("measures from where a cached query stands", () => {
    const cached = head(2, 5, [0, 0, 0, 1, 0, 0, 0, 0, 0, 1], { right: 0, offset: 3 });
    expect(headStatistics(cached, 0)).toMatchObject({ distance: 0, selfMass: 1 });
  });

  it("knows copies and what follows them: duplicate and induction heads", () => {
    const tokens = ["a", "b", "c", "a", "b", "c"];
    const target = (from: number) => matrix(6, 6, (t, s) => (s === (t < 3 ? 0 : t - from) ? 1 : 0));
    const duplicate = headStatistics(head(6, 6, target(3), { right: 0 }), 0, { tokens });
    expect(duplicate).toMatchObject({ duplicate: 1, induction: 0 });
    const induction = headStatistics(head(6, 6, target(2), { right: 0 }), 0, { tokens });
    expect(induction).toMatchObject({ duplicate: 0, induction: 1 });
    expect(headStatistics(uniform, 0).induction).toBeNaN();
  });

  it("measures patches in pixels, other tokens left out", () => {
    const grid = { height: 2, width: 2, patch: 16, cls: 1 };
    // [CLS] looks at itself; every patch at the one on the diagonal from it, and as much at [CLS].
    const weights = matrix(5, 5, (t, s) => (t === 0 ? (s === 0 ? 1 : 0) : s === 0 || s === 5 - t ? 0.5 : 0));
    expect(headStatistics(head(5, 5, weights), 0, { grid }).patchDistance).toBeCloseTo(16 * Math.SQRT2, 6);
  });

  it("gives what a sink takes, and scales rows for the rest", () => {
    const sink = denseMap({ H: 1, T: 2, S: 2, weights: [0.25, 0.25, 0.5, 0], rowSums: "atMostOne" });
    expect(headStatistics(sink, 0)).toMatchObject({ sinkMass: 0.5, confidence: 0.75, entropy: 0.5 });
  });

  it("leaves out queries that see nothing or hold NaN, and says NaN where no query is left", () => {
    const map = denseMap({ H: 2, T: 2, S: 2, weights: [1, 0, Number.NaN, 1, 0, 0, 0, 0] });
    expect(headStatistics(map, 0)).toMatchObject({ queries: 1, confidence: 1 });
    expect(headStatistics(map, 1)).toMatchObject({ queries: 0, confidence: Number.NaN, sinkMass: 1 });
  });

  it("equals the formulas on any head", () => {
    fc.assert(
      fc.property(distributions(3, 5), (weights) => {
        const found = headStatistics(head(3, 5, weights), 0, { topK: 2 });
        let [entropy, distance, top] = [0, 0, 0];
        for (let t = 0; t < 3; t++) {
          const row = [...weights.subarray(5 * t, 5 * t + 5)];
          entropy -= row.reduce((sum, a) => sum + a * Math.log(a), 0) / Math.log(5) / 3;
          distance += row.reduce((sum, a, s) => sum + a * Math.abs(s - (5 * t) / 3), 0) / 3;
          const [first, second] = row.sort((a, b) => b - a);
          top += (first! + second!) / 3;
        }
        // Pearson's r from all cells at once.
        const cells = [...weights].map((a, e) => [a / 3, Math.floor(e / 5), e % 5] as const);
        const mean = (f: (t: number, s: number) => number) =>
          cells.reduce((sum, [a, t, s]) => sum + a * f(t, s), 0);
        const [mt, ms] = [mean((t) => t), mean((_, s) => s)];
        const spread = mean((t) => (t - mt) ** 2) * mean((_, s) => (s - ms) ** 2);
        expect(found.diagonality).toBeCloseTo(mean((t, s) => (t - mt) * (s - ms)) / Math.sqrt(spread), 6);
        // Weights are read as float32, each within 2⁻²⁵ of itself.
        expect(found.entropy).toBeCloseTo(entropy, 6);
        expect(found.distance).toBeCloseTo(distance, 6);
        expect(found.topMass).toBeCloseTo(top, 6);
      }),
    );
  });

  it("changes nothing that it reads", () => {
    const weights = randomNumbers(25, 3).map(Math.abs);
    const frozen = new Proxy(Object.freeze([...weights]), { set: () => expect.fail("a write") });
    const first = headStatistics(denseMap({ H: 1, T: 5, S: 5, weights: frozen }), 0);
    expect(headStatistics(denseMap({ H: 1, T: 5, S: 5, weights: frozen }), 0)).toEqual(first);
    // What a computer hands over is not written to either.
    const float32 = Float32Array.from(weights);
    const before = float32.slice();
    headStatistics(denseMap({ H: 1, T: 5, S: 5, weights: float32 }), 0);
    expect(float32).toEqual(before);
  });

  it("refuses negative weights and options that mean nothing", () => {
    const signed = denseMap({ H: 1, T: 1, S: 2, weights: [1.5, -0.5], rowSums: "free" });
    expect(() => headStatistics(signed, 0)).toThrow(
      "headStatistics: weights must not be negative, got -0.5 in head 0, query 0; measure the weights after the softmax, or the magnitudes",
    );
    expect(() => headStatistics(uniform, 0, { topK: 0 })).toThrow("topK must be an integer ≥ 1, got 0");
    expect(() => headStatistics(uniform, 0, { band: -1 })).toThrow("band must be at least 0, got -1");
    expect(() => headStatistics(uniform, 0, { tokens: ["a"] })).toThrow(
      "the number of tokens must be one for each position of self-attention (T=7, S=7), got 1",
    );
  });
});

describe("headGlance", () => {
  it("has the numbers of headStatistics, whatever is hidden, not finite or without weight", () => {
    const weights = [0.5, 0.25, 0.25, 0, 0, 0, Number.NaN, 1, 0, 0.75, 0.25, 0, 0.1, 0.2, 0.7];
    const mask = Array.from({ length: 15 }, (_, e) => (e === 13 ? 0 : 1));
    const map = denseMap({ H: 1, T: 5, S: 3, weights, mask, maskSpec: { right: 2 } });
    const glance = headGlance(map, 0);
    expect(Object.keys(glance)).toHaveLength(5);
    expect(headStatistics(map, 0)).toMatchObject(glance);
    expect(headStatistics(map, 0).queries).toBe(3);
  });
});

describe("the measures of one row", () => {
  it("are between 0 and 1 on any row", () => {
    fc.assert(
      fc.property(distributions(1, 6), (row) => {
        const ascending = row.slice().sort();
        for (const x of [normalizedEntropy(row), gini(ascending), topMass(ascending, 3)]) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("have the closed forms: half on each of two keys, one key, one half", () => {
    expect(normalizedEntropy([0.5, 0.5, 0, 0])).toBeCloseTo(0.5, 14);
    expect(normalizedEntropy([1])).toBeNaN();
    // Sorted 0, 0, ½, ½: Σ (2r − n − 1) w = ½·1 + ½·3 = 2 over n − 1 = 3.
    expect(gini([0, 0, 0.5, 0.5])).toBeCloseTo(2 / 3, 14);
    expect(topMass([0.1, 0.2, 0.7], 1)).toBeCloseTo(0.7, 14);
  });
});
