import { expect, test } from "vitest";
import { dueCopies, scoreChoice, scoreCopying } from "../../../src/tasks/summarization/copying.ts";
import { scorePeople } from "../../../src/tasks/summarization/evaluate.ts";
import type { Summary } from "../../../src/tasks/summarization/summarizer.ts";

const summary = (source: string[], outside: number[], target: string[]): Summary => ({
  source: source.join(" "),
  target: target.join(" "),
  sourceTokens: source,
  outside: source.map((_, s) => outside.includes(s)),
  targetTokens: target,
  weights: [],
  generate: [],
  coverage: [],
  repeated: [],
  score: 0,
  cut: 0,
});

test("due is what the vocabulary lacks, the text has and every reference keeps, each word once", () => {
  // The vocabulary lacks Zorb, Kif, Vix and the two dashes.
  const one = summary(["Zorb", " -- ", "met", "Kif", "and", "Vix", "ZORB"], [0, 1, 3, 5, 6], []);
  expect(dueCopies(one, ["zorb -- kif", "Kif: Zorb, Yil"])).toEqual(["zorb", "kif"]);
  expect(dueCopies(one, ["Vix met"])).toEqual(["vix"]);
  expect(dueCopies(one, ["met and"])).toEqual([]);
});

test("the share counts words over all texts, and is 1 where none was due", () => {
  const first = summary(["Zorb", "met", "Kif"], [0, 2], ["zorb"]);
  const second = summary(["Vix", "slept"], [0], ["VIX"]);
  expect(scoreCopying([first, second], [["Zorb Kif"], ["Vix"]])).toEqual({ words: 3, share: 2 / 3 });
  expect(scoreCopying([first], [["nothing"]])).toEqual({ words: 0, share: 1 });
});

test("a choice counts what came and was not due, beside as many of the words that the text repeats most", () => {
  // Of Zorb, Kif and Vix the first and the last are due; Kif is said most often, and of equals Zorb comes first.
  const first = summary(
    ["Zorb", "met", "Kif", ", ", "Kif", "and", "Vix"],
    [0, 2, 3, 4, 6],
    ["kif", "vix", "met"],
  );
  const second = summary(["Yil", "slept"], [0], ["slept"]);
  const references = [["Vix and Zorb"], ["Yil"]];
  expect(scoreChoice([first, second], references)).toEqual({
    ...{ offered: 4, due: 3 / 4 },
    ...{ chosen: 2, right: 1 / 2, byRepetition: 1 / 3 },
  });
  expect(scoreChoice([summary(["met"], [], ["met"])], [["met"]])).toEqual({
    ...{ offered: 0, due: 1 },
    ...{ chosen: 0, right: 1, byRepetition: 1 },
  });
});

test("people are scored against the others of their text", () => {
  expect(scorePeople([["a b"], ["c", "d"]])).toBeUndefined();
  // "a b" and "a c" share one of two words, "a c" and "a c d" two: F = 1/2, then 4/5 for the better reference of each.
  const score = scorePeople([["a b", "a c", "a c d"]])!;
  const best = [1 / 2, 4 / 5, 4 / 5];
  expect(score.rouge1).toBeCloseTo((100 * best.reduce((sum, f) => sum + f)) / 3, 10);
});
