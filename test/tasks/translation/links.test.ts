import path from "node:path";
import { expect, test } from "vitest";
import { evaluateLinks, readLinkCases } from "../../../src/tasks/translation/links.ts";
import { TARGET_LANGUAGES } from "../../../src/tasks/translation/text/language.ts";
import type { Translation } from "../../../src/tasks/translation/translation.ts";

const FIXTURE = path.join(import.meta.dirname, "fixtures/alignment.tsv");

/** A translator that gives one translation whatever it is asked. */
const saying = (target: string[], source: string[], weights: number[][]) => ({
  translate: (lines: readonly string[]): Translation[] =>
    lines.map((line) => ({
      source: line,
      target: target.join(" "),
      sourceTokens: source,
      targetTokens: target,
      weights,
      score: 0,
    })),
});

test("the fixture has 100 sentences, whose ranges hold values in every language", () => {
  for (const to of TARGET_LANGUAGES) {
    const cases = readLinkCases(FIXTURE, to);
    expect(cases).toHaveLength(100);
    for (const { source, links } of cases) {
      expect(links.length).toBeGreaterThan(0);
      for (const { source: range, target } of links) {
        expect(source.slice(...range)).toMatch(/^\S.*$/);
        expect(source.slice(...range)).not.toMatch(/[\s,?!]$|^[\s.,?!]/);
        expect(target).toMatch(/\S/);
      }
    }
  }
});

test("a link is right where its word looks most at its value, whatever the order and whatever stands twice", () => {
  const source = "Tom saw 12 cats and Tom saw 1 dog.";
  const links = [
    { source: [0, 3], target: "Tom" },
    { source: [8, 10], target: "12" },
    { source: [20, 23], target: "Tom" },
    { source: [28, 29], target: "1" },
  ] as const;
  const tokens = ["Tom", "saw", "12", "cats", "and", "Tom", "saw", "1", "dog", "."];
  const target = ["Tom", "12", "Tom", "1"];
  const looking = (places: number[]) =>
    places.map((place) => tokens.map((_, s) => (s === place ? 0.7 : 0.3 / 9)));
  const score = (places: number[], words = target) =>
    evaluateLinks(saying(words, tokens, looking(places)), [{ source, links: [...links] }]);
  expect(score([0, 2, 5, 7])).toEqual({ links: 4, right: 4, failures: [] });
  const { right, failures } = score([0, 7, 0, 2]);
  expect(right).toBe(1);
  expect(failures.map(({ value, looked }) => [value, looked])).toEqual([
    ["12", "1"],
    ["Tom", "Tom"],
    ["1", "12"],
  ]);
  const none = score([0, 2, 5, 7], ["Tom", "12", "Tom", "un"]);
  expect(none.failures).toEqual([{ source, target: "Tom 12 Tom un", value: "1", looked: null }]);
});

test("what a translation does not have looks at nothing", () => {
  const found = evaluateLinks(saying(["Oui"], ["Yes"], [[1]]), [
    { source: "Yes", links: [{ source: [0, 3], target: "Tom" }] },
  ]);
  expect(found).toEqual({
    links: 1,
    right: 0,
    failures: [{ source: "Yes", target: "Oui", value: "Tom", looked: null }],
  });
});
