/** Any attention problem: shapes at the edges of blocks, and every option. */
import fc from "fast-check";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import type { ProgramOptions } from "../../src/core/program.ts";
import { floats, holes } from "./cases.ts";

interface Sizes {
  readonly lengths: fc.Arbitrary<number>;
  readonly widths: fc.Arbitrary<number>;
}

const SMALL: Sizes = { lengths: fc.integer({ min: 0, max: 13 }), widths: fc.integer({ min: 1, max: 11 }) };
/** At the edges of blocks too. */
const LARGE: Sizes = {
  lengths: fc.oneof(SMALL.lengths, fc.constantFrom(23, 24, 47, 48, 49, 63, 65, 97, 101)),
  widths: fc.oneof(SMALL.widths, fc.constantFrom(16, 17, 31, 64)),
};

const shapesOf = ({ lengths, widths }: Sizes): fc.Arbitrary<AttentionShapes> =>
  fc
    .record({
      B: fc.constantFrom(1, 2),
      T: lengths,
      S: lengths,
      Hkv: fc.constantFrom(1, 2),
      perGroup: fc.constantFrom(1, 2, 3),
      D: widths,
      Dv: widths,
    })
    .map(({ Hkv, perGroup, ...rest }) => ({ ...rest, Hkv, H: Hkv * perGroup }));

/** A shape that broadcasts to [B, H, T, S], of rank 2 or 4. */
function repeated({ B, H, T, S }: AttentionShapes): fc.Arbitrary<number[]> {
  const axis = (n: number) => fc.constantFrom(1, n);
  return fc.oneof(fc.tuple(axis(T), axis(S)), fc.tuple(axis(B), axis(H), axis(T), axis(S)));
}

export function optional<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined, freq: 2 });
}

export function bandOf({ T, S }: Pick<AttentionShapes, "T" | "S">): fc.Arbitrary<ProgramOptions<HostArray>> {
  const offset = fc.integer({ min: -4, max: Math.max(S - T, 0) + 3 });
  const edge = optional(fc.nat({ max: Math.max(S, 6) }));
  const window = fc.record({ left: edge, right: edge }).map(({ left, right }) => ({
    ...(left !== undefined && { left }),
    ...(right !== undefined && { right }),
  }));
  return fc.oneof(
    fc.constant({}),
    fc.record({ causal: fc.constantFrom("topLeft" as const, "bottomRight" as const) }),
    fc.record({ causal: fc.constant(true), queryOffset: offset, window }),
    fc.record({ queryOffset: offset, window }),
  );
}

function optionsOf(s: AttentionShapes): fc.Arbitrary<ProgramOptions<HostArray>> {
  const seed = fc.nat({ max: 1000 });
  return fc
    .record({
      band: bandOf(s),
      scale: optional(fc.constantFrom(0, -0.3, 0.7)),
      bias: optional(
        fc.tuple(seed, repeated(s), fc.boolean()).map(([n, shape, hides]) => {
          const bias = floats(n, shape);
          if (hides) for (let e = 0; e < bias.values.length; e += 5) bias.values[e] = -Infinity;
          return bias;
        }),
      ),
      allow: optional(fc.tuple(seed, repeated(s), fc.boolean()).map((made) => holes(...made))),
      queryLengths: optional(fc.array(fc.nat({ max: s.T }), { minLength: s.B, maxLength: s.B })),
      keyLengths: optional(fc.array(fc.nat({ max: s.S }), { minLength: s.B, maxLength: s.B })),
      softCap: optional(fc.constantFrom(0.7, 3, 30)),
      sink: optional(
        fc.oneof(
          fc.constantFrom(-1, 0, 2.5),
          seed.map((n) => floats(n, [s.H])),
        ),
      ),
      dropout: optional(fc.record({ rate: fc.constantFrom(0.1, 0.5), seed: fc.maxSafeNat() })),
      onEmptyRow: fc.constantFrom("zero" as const, "zero" as const, "uniform" as const),
    })
    .map(({ band, ...rest }) => {
      const given = Object.entries(rest).filter(([, value]) => value !== undefined);
      return { ...band, ...Object.fromEntries(given), training: true };
    });
}

/** Shapes, options for them, a seed and the size of q: what makeCase takes. */
const casesOf = (sizes: Sizes) =>
  shapesOf(sizes).chain((s) =>
    fc.tuple(fc.constant(s), optionsOf(s), fc.nat({ max: 1e6 }), fc.constantFrom(0.5, 1, 6)),
  );

/** Shapes, options, a seed and how large the queries are. */
export const cases = casesOf(LARGE);
export const smallCases = casesOf(SMALL);
