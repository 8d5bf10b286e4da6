import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import { allowRelaxedSimd } from "../../src/kernels/wasm/relaxed.ts";
import { cases } from "./arbitrary.ts";
import { firstDifference, makeCase, runFused, runReference, tolerances } from "./cases.ts";

allowRelaxedSimd();
const engines = (["relaxed", "plain"] as const).map((build) => ({
  build,
  engine: new AttentionEngine(build),
}));

describe("Fused attention", () => {
  it("agrees with the oracle on any options, values and gradients, whatever stands where nobody looks", () => {
    fc.assert(
      fc.property(cases, ([s, options, seed, gain]) => {
        const one = makeCase(s, options, seed, gain);
        const expected = runReference(one);
        const tolerance = tolerances(one, expected);
        for (const { build, engine } of engines) {
          const difference = firstDifference(runFused(engine, one), expected, tolerance);
          expect(difference && `${build}: ${difference}`).toBe("");
        }
      }),
      { seed: 20261120, numRuns: 400 },
    );
  });
});
