import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { denseMap, findWords, MASKED, NOT_FINITE, VALUE, wordMap } from "../../src/inspect/index.ts";
import { distributions, head } from "./support.ts";

describe("findWords", () => {
  it.each([
    ["SentencePiece", ["<s>", "▁I", "▁lo", "ve", "▁tea", ".", "</s>"], ["<s>", "I", "love", "tea.", "</s>"]],
    ["GPT-2", ["I", "Ġlo", "ve", "Ġtea", "<|endoftext|>"], ["I", "love", "tea", "<|endoftext|>"]],
    ["BERT", ["[CLS]", "un", "##happi", "##ness", "##", "[SEP]"], ["[CLS]", "unhappiness", "##", "[SEP]"]],
    ["subword-nmt", ["lo@@", "ve", "t@@", "e@@", "a"], ["love", "tea"]],
    ["no marks", ["I", "love", "tea", "@@"], ["I", "love", "tea", "@@"]],
    ["a continuation first", ["##a", "b"], ["a", "b"]],
    ["no token", [], []],
  ])("joins the pieces of %s", (_, tokens, words) => {
    expect(findWords(tokens).words).toEqual(words);
  });

  it("says where each word begins", () => {
    expect([...findWords(["▁I", "▁lo", "ve", "▁tea"]).starts]).toEqual([0, 1, 3, 4]);
  });
});

describe("wordMap", () => {
  it("averages rows and sums columns, worked by hand", () => {
    const map = head(3, 3, [1, 0, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5]);
    const words = findWords(["I", "lo", "##ve"]);
    expect([...wordMap(map, words, words).rows(0, 0, 2).values]).toEqual([1, 0, 0.375, 0.625]);
  });

  it("keeps the sums of rows for any words", () => {
    const groups = (length: number) =>
      fc.uniqueArray(fc.integer({ min: 1, max: length - 1 })).map((cuts) => {
        const starts = Int32Array.from([0, ...cuts.sort((a, b) => a - b), length]);
        return { words: Array.from(starts.subarray(1), String), starts };
      });
    fc.assert(
      fc.property(distributions(5, 7), groups(5), groups(7), (weights, queries, keys) => {
        const map = wordMap(head(5, 7, weights), queries, keys);
        for (let t = 0; t < map.T; t++)
          expect(map.row(0, t).values.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 5);
      }),
    );
  });

  it("leaves out pieces that see nothing, and hides a word where all its pieces are hidden", () => {
    const weights = [0, 0, 0, 0, 0.5, 0.5, 0, Number.NaN];
    const map = denseMap({ H: 1, T: 2, S: 4, weights, mask: [0, 0, 0, 0, 1, 1, 0, 1] });
    const whole = { words: ["ab"], starts: Int32Array.of(0, 2) };
    const keys = { words: ["a", "b", "c"], starts: Int32Array.of(0, 2, 3, 4) };
    const { values, kinds } = wordMap(map, whole, keys).row(0, 0);
    expect([...values]).toEqual([1, 0, 0]);
    expect([...kinds]).toEqual([VALUE, MASKED, NOT_FINITE]);
  });

  it("refuses words of other tokens", () => {
    const map = head(2, 2, [1, 0, 0, 1]);
    const [two, three] = [findWords(["a", "b"]), findWords(["a", "b", "c"])];
    expect(() => wordMap(map, two, three)).toThrow(
      "wordMap: keys must be the words of its 2 tokens, got 3 words of others",
    );
    expect(() => wordMap(map, { words: ["a"], starts: Int32Array.of(0, 0, 2) }, two)).toThrow(
      "wordMap: queries",
    );
  });
});
