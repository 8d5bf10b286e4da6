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

it.each([
  ["one slow step", 129, (n: number) => (n === 129 ? 1.2 : 1)],
  ["slower steps from there on", 513, (n: number) => (n >= 513 ? 1.2 : 1)],
  ["the second step of all", 2, (n: number) => (n === 2 ? 1.2 : 1)],
])("finds %s", (_, at, change) => {
  const found = jumpsOf(line(change));
  // The median of the steps before is the old time for half of them.
  expect(found.at).toBeGreaterThanOrEqual(at);
  expect(found.at).toBeLessThanOrEqual(at + 16);
  expect(found.jump).toBeGreaterThan(0.17);
  expect(found.jump).toBeLessThan(0.23);
});
