import { expect, it } from "vitest";
import { inverseNormal } from "../../src/core/inverse-normal.ts";

it("inverts the normal distribution to seven digits in the middle and in both tails", () => {
  // Values of Python's statistics.NormalDist().inv_cdf.
  const known: [number, number][] = [
    [0.5, 0],
    [0.6, 0.2533471031357997],
    [0.975, 1.9599639845400536],
    [0.01, -2.3263478740408416],
    [1e-6, -4.753424308822899],
    [2 ** -25, -5.419983174916868],
    [1e-12, -7.034483825301131],
  ];
  for (const [p, x] of known)
    expect(Math.abs(inverseNormal(p) - x)).toBeLessThanOrEqual(2e-7 * Math.max(1, Math.abs(x)));
});
