import { describe, expect, it } from "vitest";
import { denseMap, massiveActivations, sinkReport } from "../../../src/inspect/index.ts";

describe("sinkReport", () => {
  it("means over the queries that can choose, finds the sink of each head, and weighs its value", () => {
    // Two heads of three queries; the second rests on key 1.
    const weights = [1, 0, 0, 0.8, 0.2, 0, 0.6, 0.1, 0.3, 1, 0, 0, 0.1, 0.9, 0, 0.1, 0.7, 0.2];
    const map = denseMap({ H: 2, T: 3, S: 3, weights, maskSpec: { right: 0 } });
    const [a, b] = sinkReport([map], [[0.5, 2, 4]]);
    expect(a!.firstMass).toBeCloseTo(0.7, 6);
    expect([a!.sink, a!.sinkNorm]).toEqual([0, 0.25]);
    expect(a!.sinkMass).toBeCloseTo(0.7, 6);
    expect([b!.head, b!.sink, b!.sinkNorm]).toEqual([1, 1, 1]);
    expect(b!.sinkMass).toBeCloseTo(0.8, 6);
    expect(b!.firstMass).toBeCloseTo(0.1, 6);
    expect(sinkReport([map])[0]!.sinkNorm).toBeNaN();
    const own = sinkReport([map], [[0.5, 2, 4, 1, 9, 3]]);
    expect(own.map(({ sinkNorm }) => sinkNorm)).toEqual([0.25, 3]);
  });

  it("knows nothing where each query sees one key, and refuses norms of another length", () => {
    const map = denseMap({ H: 1, T: 1, S: 1, weights: [1] });
    expect(sinkReport([map])[0]!.firstMass).toBeNaN();
    expect(() => sinkReport([map], [])).toThrow(
      /^sinkReport: norms\[0\] must hold \[Hkv, S\] = 1 numbers, got 0/,
    );
  });
});

describe("massiveActivations", () => {
  it("finds what is large and far above the median", () => {
    const states = Array.from({ length: 15 }, (_, e): number => (e % 2 === 0 ? 0.1 : -0.1));
    states[4] = -150;
    states[13] = 3000;
    states[7] = 99;
    expect(massiveActivations(states, 5)).toEqual([
      { position: 2, channel: 3, value: 3000, times: 30000 },
      { position: 0, channel: 4, value: -150, times: 1500 },
    ]);
    expect(massiveActivations(states, 5, { atLeast: 90, times: 900 })).toHaveLength(3);
    expect(() => massiveActivations(states, 4)).toThrow(/^massiveActivations: states must hold \[T, C\]/);
    expect(() => massiveActivations(states, 5, { times: 0 })).toThrow(
      "massiveActivations: times must be a positive number",
    );
  });
});
