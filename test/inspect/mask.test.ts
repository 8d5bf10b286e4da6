import fc from "fast-check";
import { expect, it } from "vitest";
import { type MaskSpec, visibleKeys } from "../../src/inspect/index.ts";
import { positionOf } from "../../src/inspect/mask.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const masks: fc.Arbitrary<MaskSpec> = fc
  .record({
    offset: maybe(fc.integer({ min: -9, max: 9 })),
    left: maybe(fc.nat(9)),
    right: maybe(fc.nat(9)),
    queryLength: maybe(fc.nat(9)),
    keyLength: maybe(fc.nat(12)),
  })
  .map((mask) => Object.fromEntries(Object.entries(mask).filter(([, n]) => n !== undefined)));

it("names the keys that the formula leaves visible, whatever the mask", () => {
  fc.assert(
    fc.property(masks, fc.nat(8), fc.integer({ min: 1, max: 9 }), (mask, t, S) => {
      const { offset = 0, left = Infinity, right = Infinity, queryLength = Infinity, keyLength = S } = mask;
      const visible = Array.from({ length: S }, (_, s) => s).filter((s) => {
        const d = s - (t + offset);
        return t < queryLength && s < keyLength && -left <= d && d <= right;
      });
      const [start, end] = visibleKeys(mask, t, S);
      expect(Array.from({ length: end - start }, (_, n) => start + n)).toEqual(visible);
    }),
    { numRuns: 1000 },
  );
});

it("hides nothing without a mask", () => {
  expect(visibleKeys(undefined, 3, 5)).toEqual([0, 5]);
});

it("puts a query where its mask says, else at its own index or its share of the keys", () => {
  expect([
    positionOf({ offset: 4 }, 1, 3, 7),
    positionOf(undefined, 1, 3, 3),
    positionOf({}, 1, 2, 7),
  ]).toEqual([5, 1, 3.5]);
});
