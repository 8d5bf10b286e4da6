import { expect, it } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import { headDiversity } from "../../src/inspect/index.ts";

it("is 0 for heads that look alike and 1 bit for heads that share no key", () => {
  const alike = [0.2, 0.3, 0.5, 0.2, 0.3, 0.5];
  expect(headDiversity(alike, { B: 1, H: 2, T: 1, S: 3 }).mean).toBe(0);
  const apart = [0.5, 0.5, 0, 0, 0, 1];
  expect(headDiversity(apart, { B: 1, H: 2, T: 1, S: 3 }).mean).toBe(1);
});

it("gives each pair of heads its own divergence, worked by hand", () => {
  // Heads (1, 0), (½, ½), (0, 1): m = (¾, ¼) for neighbours.
  const neighbours = (Math.log2(4 / 3) + (Math.log2(2 / 3) + Math.log2(2)) / 2) / 2;
  const { mean, pairs } = headDiversity([1, 0, 0.5, 0.5, 0, 1], { B: 1, H: 3, T: 1, S: 2 });
  const expected = [0, neighbours, 1, neighbours, 0, neighbours, 1, neighbours, 0];
  for (const [e, d] of expected.entries()) expect(pairs[e]).toBeCloseTo(d, 14);
  expect(mean).toBeCloseTo((2 * neighbours + 1) / 3, 14);
});

it("averages over examples and queries, leaves out queries that see nothing, and scales rows with a sink", () => {
  // [B=2, H=2, T=2, S=2]; in example 1 head 0 sees nothing at query 0, and head 1's row sums to ½.
  const weights = [1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0.5];
  expect(headDiversity(weights, { B: 2, H: 2, T: 2, S: 2 }).mean).toBeCloseTo(2 / 3, 14);
});

it("has no pair for one head, and refuses arrays of another size", () => {
  expect(headDiversity([1], { B: 1, H: 1, T: 1, S: 1 }).mean).toBe(0);
  expect(() => headDiversity([1, 2], { B: 1, H: 1, T: 1, S: 1 })).toThrow(ShapeError);
  expect(() => headDiversity([1, 2], { B: 1, H: 1, T: 1, S: 1 })).toThrow(
    /^headDiversity: weights .*1.*got 2/,
  );
});
