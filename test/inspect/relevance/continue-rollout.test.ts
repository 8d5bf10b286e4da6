import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { type ContinuedRollout, continueRollout, denseMap, rollout } from "../../../src/inspect/index.ts";

const [L, H, N] = [3, 2, 7];

/** Causal weights of a whole sequence, [H, N, N]. */
function causal(seed: number): Float64Array {
  const weights = new RandomStream(seed).fillNormal(new Float64Array(H * N * N)).map(Math.exp);
  for (let row = 0; row < H * N; row++) {
    const t = row % N;
    const of = weights.subarray(row * N, (row + 1) * N);
    of.fill(0, t + 1);
    const sum = of.reduce((a, b) => a + b, 0);
    for (let s = 0; s <= t; s++) of[s]! /= sum;
  }
  return weights;
}

/** The rows of queries P to S of each head, over the first S keys. */
function step(weights: Float64Array, P: number, S: number) {
  const T = S - P;
  const rows = Float64Array.from({ length: H * T * S }, (_, e) => {
    const [h, t, s] = [Math.floor(e / (T * S)), Math.floor(e / S) % T, e % S];
    return weights[(h * N + P + t) * N + s]!;
  });
  return denseMap({ H, T, S, weights: rows, maskSpec: { right: 0, ...(P > 0 && { offset: P }) } });
}

describe("continueRollout", () => {
  const layers = Array.from({ length: L }, (_, seed) => causal(seed + 1));
  const at = (P: number, S: number) => layers.map((weights) => step(weights, P, S));

  it.each([{}, { heads: "max" }, { identity: false }] as const)(
    "step by step is the rollout of the whole sequence: %j",
    (options) => {
      const whole = rollout(at(0, N), options).weights;
      let state: ContinuedRollout | undefined;
      for (const [P, S] of [
        [0, 3],
        [3, 4],
        [4, 6],
        [6, 7],
      ] as const) {
        state = continueRollout(state, at(P, S), options);
        for (let t = P; t < S; t++)
          for (let s = 0; s < S; s++)
            expect(state.weights[(t - P) * S + s]).toBeCloseTo(whole[t * N + s]!, 12);
      }
    },
  );

  it("is another than that of a prefix whose keys count as inputs", () => {
    const first = continueRollout(undefined, at(0, 4));
    const next = continueRollout(first, at(4, 5)).weights;
    const apart = rollout(at(4, 5)).weights;
    expect(Math.max(...next.map((x, s) => Math.abs(x - apart[s]!)))).toBeGreaterThan(0.01);
  });

  it("refuses a step that does not follow", () => {
    const first = continueRollout(undefined, at(0, 4));
    expect(() => continueRollout(first, at(5, 6))).toThrow(
      "continueRollout: the maps must go on from 4 positions in 3 layers, got a prefix of 5 in 3; pass what the last step returned, and each step once",
    );
    expect(() => continueRollout(first, at(4, 5).slice(1))).toThrow("got a prefix of 4 in 2");
  });
});
