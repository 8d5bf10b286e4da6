import { expect, it } from "vitest";
import { traceTensor } from "../../../src/inspect/index.ts";

const numbers = [0, 0.25, 0.5, 1];

it.each(["f64", "f32", "f16"] as const)(
  "keeps numbers as %s and gives them back one by one or in pieces",
  (encoding) => {
    const tensor = traceTensor([2, 2], numbers, encoding);
    expect([0, 1, 2, 3].map((e) => tensor.at(e))).toEqual(numbers);
    expect([...tensor.slice()]).toEqual(numbers);
    expect([...tensor.slice(1, 3)]).toEqual([0.25, 0.5]);
    expect(tensor.isMasked(0)).toBe(false);
  },
);

it("keeps weights as bytes, hidden keys apart from zeros, and booleans as 0 and 1", () => {
  const weights = traceTensor([4], numbers, "u8log", [true, true, true, false]);
  expect(Math.abs(weights.at(1) / 0.25 - 1)).toBeLessThan(0.0278);
  expect([...weights.data].filter((_, e) => weights.isMasked(e))).toEqual([255]);
  const mask = traceTensor([4], numbers, "bool");
  expect([mask.at(0), ...mask.slice(1)]).toEqual([0, 1, 1, 1]);
});

it("shares a Float32Array and its pieces", () => {
  const values = Float32Array.of(1, 2, 3);
  const tensor = traceTensor([3], values);
  expect(tensor.data).toBe(values);
  expect(tensor.slice(1).buffer).toBe(values.buffer);
});

it("refuses values that do not fill the shape", () => {
  expect(() => traceTensor([2, 3], numbers)).toThrow(
    "traceTensor: values must hold 2·3 = 6 numbers, got 4; pass the whole array, row-major and not detached",
  );
});
