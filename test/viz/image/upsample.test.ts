import fc from "fast-check";
import { expect, it } from "vitest";
import { upsample } from "../../../src/viz/index.ts";

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

it("keeps the sum, for any sizes, smooth or not", () => {
  const side = fc.integer({ min: 1, max: 7 });
  fc.assert(
    fc.property(
      side,
      side,
      fc.integer({ min: 1, max: 19 }),
      fc.integer({ min: 1, max: 19 }),
      fc.boolean(),
      (h, w, H, W, smooth) => {
        const map = Array.from({ length: h * w }, (_, n) => 1 + ((n * 7) % 5));
        expect(sum(upsample(map, [h, w], [Math.max(h, H), Math.max(w, W)], smooth))).toBeCloseTo(sum(map), 9);
      },
    ),
  );
});

it("gives each pixel its share of its cell", () => {
  expect([...upsample([1, 3], [1, 2], [2, 4])]).toEqual([0.25, 0.25, 0.75, 0.75, 0.25, 0.25, 0.75, 0.75]);
});

it("interpolates between the centres of cells where it is smooth", () => {
  // Centres at 0.5 and 2.5 of 4 pixels: 0, ¼, ¾, 1 of the way, then scaled from a sum of 2 to one of 1.
  expect([...upsample([0, 1], [1, 2], [1, 4], true)]).toEqual([0, 0.125, 0.375, 0.5]);
});
