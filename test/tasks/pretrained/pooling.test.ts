import { expect, test } from "vitest";
import { cosine, normalized, POOLINGS, pool } from "../../../src/tasks/pretrained/pooling.ts";

test("each pooling of three states of two numbers is what one computes by hand", () => {
  // Tokens (1, −2), (3, 4), (8, 1): sums 12 and 3, with weights 1, 2, 3 31 and 9.
  const states = Float32Array.of(1, -2, 3, 4, 8, 1);
  const expected = {
    cls: [1, -2],
    max: [8, 4],
    mean: [4, 1],
    mean_sqrt_len: [12 / Math.sqrt(3), 3 / Math.sqrt(3)],
    weightedmean: [31 / 6, 9 / 6],
    lasttoken: [8, 1],
  };
  for (const name of POOLINGS) expect(Array.from(pool(states, 2, [name]))).toEqual(expected[name]);
  expect(Array.from(pool(states, 2, ["cls", "mean"]))).toEqual([1, -2, 4, 1]);
});

test("the length is brought to 1; a vector of zeros stays one, and is like nothing", () => {
  expect(Array.from(normalized(Float64Array.of(3, -4)))).toEqual([0.6, -0.8]);
  expect(Array.from(normalized(Float64Array.of(0, 0)))).toEqual([0, 0]);
  expect(cosine([0, 0], [1, 0])).toBe(0);
  expect(cosine([2, 0], [-3, 0])).toBe(-1);
});
