import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { preTokenize } from "../../src/data/pretokenize.ts";

describe("preTokenize", () => {
  test.each([
    ["words keep the space before them", "a big dog", ["a", " big", " dog"]],
    ["punctuation leaves words", "Go, now!", ["Go", ",", " now", "!"]],
    ["French punctuation is set off with its space", "Va ! « Oui »", ["Va", " !", " «", " Oui", " »"]],
    ["a run of one mark is a unit, other marks are not", 'Oh...?!!"', ["Oh", "...", "?", "!!", '"']],
    ["digits stand alone", "in 2019", ["in", " 2", "0", "1", "9"]],
    ["elisions are cut after the apostrophe", "J'ai l'été qu'on", ["J'", "ai", " l'", "été", " qu'", "on"]],
    ["so is aujourd'hui", "aujourd'hui", ["aujourd'", "hui"]],
    ["contractions are cut before it", "I'm Tom's, they'll", ["I", "'m", " Tom", "'s", ",", " they", "'ll"]],
    ["negations as the Penn Treebank does", "don't can't ISN'T", ["do", "n't", " ca", "n't", " IS", "N'T"]],
    ["a word that begins like a contraction is none", "l'tout n'tre", ["l'", "tout", " n'", "tre"]],
    [
      "quotation marks are no apostrophes",
      "'rock' the James' ",
      ["'", "rock", "'", " the", " James", "'", " "],
    ],
    ["combining marks stay with their letter", "q\u0301a ि", ["q\u0301a", " ि"]],
    ["an emoji sequence is a unit", "a👩\u200d🚀👍🏽!", ["a", "👩\u200d🚀", "👍🏽", "!"]],
    ["right-to-left text is cut alike", "שלום, עולם", ["שלום", ",", " עולם"]],
    ["spaces without a word stand alone", "a  b ", ["a", " ", " b", " "]],
    ["nothing is cut into nothing", "", []],
  ])("%s", (_, text, expected) => {
    expect(preTokenize(text)).toEqual(expected);
  });

  test("cuts words of more than a hundred letters", () => {
    expect(preTokenize("a".repeat(211)).map((unit) => unit.length)).toEqual([100, 100, 11]);
  });

  test("loses nothing of any text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 31 }),
      fc.string({ unit: fc.constantFrom(..."nNtT's ldqu7.\u0301\u200d\ufe0f👩é\n\t▁"), maxLength: 31 }),
      fc.string({ unit: "grapheme", maxLength: 31 }),
    );
    fc.assert(
      fc.property(text, (s) => {
        expect(preTokenize(s).join("")).toBe(s);
      }),
      { numRuns: 3000 },
    );
  });
});
