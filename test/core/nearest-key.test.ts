import { expect, test } from "vitest";
import { checkKeys, checkOptionNames } from "../../src/core/check-options.ts";
import { nearestKey } from "../../src/core/nearest-key.ts";

const KNOWN = ["scale", "causal", "keyLengths", "window"];

test.each([
  ["casual", "causal"],
  ["Causal", "causal"],
  ["key_lengths", "keyLengths"],
  ["keyLength", "keyLengths"],
  ["windows", "window"],
])("%s stands for %s", (key, meant) => {
  expect(nearestKey(key, KNOWN)).toBe(meant);
});

test.each(["", "x", "softCap", "tall"])("%s stands for no key", (key) => {
  expect(nearestKey(key, KNOWN)).toBeUndefined();
});

test("an unknown key is refused with the key that was meant", () => {
  expect(() => checkKeys("f", { casual: true }, KNOWN)).toThrow(
    "f: every key must be one of scale, causal, keyLengths, window, got casual; did you mean causal?",
  );
  expect(() => checkKeys("f", { softCap: 1 }, KNOWN)).toThrow("got softCap; correct the configuration");
});

test("an option that a function does not have is refused, one that is undefined is not", () => {
  const names = { scale: true, keyLengths: true } as const;
  expect(() => checkOptionNames("f", { keylengths: [1] }, names)).toThrow(
    "f: every option must be one that f has, got keylengths; did you mean keyLengths?",
  );
  expect(() => checkOptionNames("f", { constructor: 1 }, names)).toThrow("it has scale, keyLengths");
  expect(() => checkOptionNames("f", { scale: 1, other: undefined }, names)).not.toThrow();
});
