import { expect, test } from "vitest";
import { OutputRules } from "../../../../src/tasks/translation/multilingual/rules.ts";

const DEBTS = { end: 2, placeholders: new Set([50, 51, 52]), mostRepeats: 3, isLenient: false };
const write = (rules: OutputRules, ...ids: number[]) => ids.reduce((now, id) => now.after(id), rules);

test("an output has the placeholders of its source, each as often at most, and ends once it has them all", () => {
  const rules = OutputRules.of([7, 50, 8, 51, 51], DEBTS);
  expect([50, 51, 52, 2, 9].map((id) => rules.allows(id))).toEqual([true, true, false, false, true]);
  const half = write(rules, 9, 50);
  expect([50, 51, 2].map((id) => half.allows(id))).toEqual([false, true, false]);
  const once = write(half, 51);
  expect([51, 2].map((id) => once.allows(id))).toEqual([true, true]);
  expect(write(once, 51).allows(51)).toBe(false);
  // A rule never changes: hypotheses share it.
  expect(rules.allows(50)).toBe(true);
});

test("a lenient output may end without its placeholders, and still invents none", () => {
  const rules = OutputRules.of([50, 7], { ...DEBTS, isLenient: true });
  expect([2, 50, 51].map((id) => rules.allows(id))).toEqual([true, true, false]);
  expect(write(rules, 50).allows(2)).toBe(true);
});

test("an output does not go round in circles", () => {
  const rules = OutputRules.of([7], DEBTS);
  expect(write(rules, 4, 4).allows(4)).toBe(true);
  expect(write(rules, 4, 4, 4).allows(4)).toBe(false);
  expect(write(rules, 4, 4, 4).allows(5)).toBe(true);
});
