import { expect, it } from "vitest";
import { jsonCost } from "../../src/core/json-cost.ts";

const cost = (text: string) => jsonCost(new TextEncoder().encode(text));

it("finds how deep brackets nest, but for those in texts", () => {
  expect(cost("7").depth).toBe(0);
  expect(cost("[[1], [[2]], {}]").depth).toBe(3);
  expect(cost('{"a[[[": "]]\\"[[[\\\\", "b": [1]}').depth).toBe(2);
});

it("counts lists, values and text, whether it is JSON or not", () => {
  expect(cost("[1,2]").bytes).toBe(2 * 5 + 64 + 16);
  expect(cost('"é",').bytes).toBe(2 * 5 + 16);
  expect(cost('["open').depth).toBe(1);
  expect(cost("]]]]").depth).toBe(0);
});
