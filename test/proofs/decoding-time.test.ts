import { expect, it } from "vitest";
import { jumpsOf } from "../../proofs/transformer/decoding-time.ts";

const [BASE, SLOPE] = [0.5, 2e-4];
const line = (change: (n: number) => number = () => 1) =>
  Array.from({ length: 1024 }, (_, n) => (BASE + SLOPE * (n + 1)) * change(n + 1));

it("finds the line that times lie on, and no jump of it", () => {
  const { jump, base, slope, offLine } = jumpsOf(line());
  expect(base).toBeCloseTo(BASE, 3);
  expect(slope).toBeCloseTo(SLOPE, 6);
  // Where few steps come before, the line is a step or two away.
  expect(jump).toBeLessThan(0.02);
  expect(offLine).toBeLessThan(1e-3);
});

it.each([65, 129, 513])("finds that steps are slower from %d keys on", (from) => {
  const found = jumpsOf(line((n) => (n >= from ? 1.2 : 1)));
  expect(Math.abs(found.at - from)).toBeLessThanOrEqual(16);
  expect(found.jump).toBeGreaterThan(0.17);
  expect(found.jump).toBeLessThan(0.23);
});

it("does not take a step that is slow alone for a jump", () => {
  expect(jumpsOf(line((n) => (n === 129 ? 2 : 1))).jump).toBeLessThan(0.02);
});
