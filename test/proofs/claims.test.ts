import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { type Claim, passes } from "../../proofs/claim.ts";
import { CLAIMS } from "../../proofs/claims.ts";
import { entropyAtStart } from "../../proofs/guidelines/score-scale.ts";
import { areaUnderCurve, logSlope } from "../../proofs/statistics.ts";
import { useHeedBackend } from "../../src/host/select.ts";

/** Models of the toy languages take a minute each; test/proofs/toy trains smaller ones. */
const isToy = ({ name }: Claim) => /^(local-swap|reversal|idiomatic)\//.test(name);
const QUICK = CLAIMS.filter((claim) => claim.quick && !isToy(claim));

test.each(QUICK.map((claim) => [claim.name, claim] as const))(
  "%s holds",
  async (_, { measure, thresholds }) => {
    await useHeedBackend();
    const before = tf.memory().numTensors;
    const shares: number[] = [];
    const metrics = await measure((share) => shares.push(share));
    const failed = thresholds.filter((threshold) => !passes(metrics[threshold.metric], threshold));
    expect(failed, JSON.stringify(metrics)).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeCloseTo(1, 12);
  },
);

describe("the list of claims", () => {
  test("has a name of its own for each, <task>/<variant>, and a sentence", () => {
    const names = CLAIMS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, claim } of CLAIMS) {
      expect(name).toMatch(/^[a-z-]+\/[a-zA-Z-]+$/);
      expect(claim).toMatch(/^[A-Z].*\.$/);
    }
  });

  test("has every score on both word orders", () => {
    const scores = ["additive", "general", "dot", "scaledDot", "concat", "location", "bahdanau"];
    for (const language of ["local-swap", "reversal"]) {
      expect(CLAIMS.map(({ name }) => name)).toEqual(
        expect.arrayContaining(scores.map((score) => `${language}/${score}`)),
      );
    }
  });
});

test("a threshold is reached at its bound, and never by a metric that is missing or NaN", () => {
  expect(passes(0.95, { metric: "exact", atLeast: 0.95 })).toBe(true);
  expect(passes(0.949, { metric: "exact", atLeast: 0.95 })).toBe(false);
  expect(passes(0.1, { metric: "aer", atMost: 0.1 })).toBe(true);
  expect(passes(0.101, { metric: "aer", atMost: 0.1 })).toBe(false);
  expect(passes(Number.NaN, { metric: "aer", atMost: 0.1 })).toBe(false);
  expect(passes(undefined, { metric: "aer" })).toBe(false);
});

describe("what claims are measured with", () => {
  test("the entropy of even weights is 1, and falls with every doubling of an unscaled width", async () => {
    await useHeedBackend();
    expect(entropyAtStart(8, 0)).toBeCloseTo(1, 6);
    const falling = [8, 16, 32, 64, 128].map((D) => entropyAtStart(D, 1));
    expect(falling).toEqual(falling.toSorted((a, b) => b - a));
  });

  test("the area under the curve is the share of pairs in order", () => {
    expect(areaUnderCurve([0.9, 0.8], [0.1, 0.2])).toBe(1);
    expect(areaUnderCurve([0.9, 0.15], [0.1, 0.2])).toBe(0.75);
    expect(areaUnderCurve([0.5], [0.5])).toBe(0.5);
  });

  test("the slope of a power is its exponent", () => {
    const powers = [512, 1024, 4096].map((n) => [n, 3 * n ** 1.5] as const);
    expect(logSlope(powers)).toBeCloseTo(1.5, 12);
  });
});
