import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostArray } from "../../src/core/notation.ts";
import type { ProgramOptions } from "../../src/core/program.ts";
import { AdditiveEngine } from "../../src/kernels/wasm/additive-engine.ts";
import { allowRelaxedSimd } from "../../src/kernels/wasm/relaxed.ts";
import {
  type AdditiveSizes,
  additiveTolerances,
  makeAdditiveCase,
  runAdditiveFused,
  runAdditiveReference,
} from "./additive-cases.ts";
import { bandOf, optional } from "./arbitrary.ts";
import { firstDifference, floats, holes } from "./cases.ts";

allowRelaxedSimd();
const engines = [new AdditiveEngine("relaxed"), new AdditiveEngine("plain")];

const lengths = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(15, 16, 17, 23, 31, 33));
const widths = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 17, 31, 37));
const sizes: fc.Arbitrary<AdditiveSizes> = fc.record({
  B: fc.constantFrom(1, 2, 3),
  ...{ T: lengths, S: lengths, A: widths, Dv: widths },
});

function optionsOf(s: AdditiveSizes): fc.Arbitrary<ProgramOptions<HostArray>> {
  const seed = fc.nat({ max: 1000 });
  const axis = (n: number) => fc.constantFrom(1, n);
  const repeated = fc.oneof(
    fc.tuple(axis(s.T), axis(s.S)),
    fc.tuple(axis(s.B), fc.constant(1), axis(s.T), axis(s.S)),
  );
  return fc
    .record({
      band: bandOf(s),
      bias: optional(
        fc.tuple(seed, repeated, fc.boolean()).map(([n, shape, hides]) => {
          const bias = floats(n, shape);
          if (hides) for (let e = 0; e < bias.values.length; e += 5) bias.values[e] = -Infinity;
          return bias;
        }),
      ),
      allow: optional(fc.tuple(seed, repeated, fc.boolean()).map((made) => holes(...made))),
      queryLengths: optional(fc.array(fc.nat({ max: s.T }), { minLength: s.B, maxLength: s.B })),
      keyLengths: optional(fc.array(fc.nat({ max: s.S }), { minLength: s.B, maxLength: s.B })),
      softCap: optional(fc.constantFrom(0.7, 3, 30)),
      sink: optional(fc.constantFrom(-1, 0, 2.5)),
      dropout: optional(fc.record({ rate: fc.constantFrom(0.1, 0.5), seed: fc.maxSafeNat() })),
      onEmptyRow: fc.constantFrom("zero" as const, "zero" as const, "uniform" as const),
    })
    .map(({ band, ...rest }) => {
      const given = Object.entries(rest).filter(([, value]) => value !== undefined);
      return { ...band, ...Object.fromEntries(given), training: true };
    });
}

const cases = sizes.chain((s) =>
  fc.tuple(fc.constant(s), optionsOf(s), fc.nat({ max: 1e6 }), fc.constantFrom(0.01, 0.5, 1, 6, 30)),
);

describe("Fused additive attention", () => {
  it("agrees with the oracle on any options, values and gradients, whatever stands where nobody looks", () => {
    fc.assert(
      fc.property(cases, ([s, options, seed, gain]) => {
        const one = makeAdditiveCase(s, options, seed, gain);
        const expected = runAdditiveReference(one);
        const tolerance = additiveTolerances(one, expected);
        for (const engine of engines) {
          const difference = firstDifference(runAdditiveFused(engine, one), expected, tolerance);
          expect(difference && `${engine.build}: ${difference}`).toBe("");
        }
      }),
      { seed: 20261125, numRuns: 400 },
    );
  });
});
