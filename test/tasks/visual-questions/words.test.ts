import { expect, test } from "vitest";
import { QuestionVocabulary, splitQuestion } from "../../../src/tasks/visual-questions/index.ts";

test("questions are cut into small words without punctuation, in any script", () => {
  expect(splitQuestion("Is there a T-shirt?!")).toEqual(["is", "there", "a", "t-shirt"]);
  expect(splitQuestion("  How many  “bags” — or coats’ … ")).toEqual(["how", "many", "bags", "or", "coats"]);
  expect(splitQuestion("Où est l’été 42 ?")).toEqual(["où", "est", "l’été", "42"]);
  expect(splitQuestion("Что это? これは何？")).toEqual(["что", "это", "これは何"]);
  expect(splitQuestion("?!…")).toEqual([]);
});

test("ids are the mark, the known words and padding, always T of them; others are left out and named", () => {
  const vocabulary = QuestionVocabulary.of(["is there a bag?", "a coat", "is it?"]);
  expect(vocabulary.words).toEqual(["a", "bag", "coat", "is", "it", "there"]);
  expect(vocabulary.size).toBe(8);
  const { ids, lengths } = vocabulary.encode(["Is there a purple BAG, a bag?", "?", "a a a a a a"], 5);
  expect([...ids]).toEqual([...[1, 5, 7, 2, 3], ...[1, 0, 0, 0, 0], ...[1, 2, 2, 2, 2]]);
  expect(lengths).toEqual([5, 1, 5]);
  expect(vocabulary.sort("is a purple, purple hat there")).toEqual({
    known: ["is", "a", "there"],
    unknown: ["purple", "hat"],
    replaced: [],
  });
  expect(QuestionVocabulary.of(["a b", "b c"], 2).words).toEqual(["b"]);
});

test("a synonym is read where the model knows it and not the word itself", () => {
  const some = QuestionVocabulary.of(["how many t-shirts", "a t-shirt", "a shirt"]);
  expect(some.sort("Many shirts, a shirt, a purse, purses, shirts?")).toEqual({
    known: ["many", "t-shirts", "a", "shirt", "a", "t-shirts"],
    unknown: ["purse", "purses"],
    replaced: [{ word: "shirts", by: "t-shirts" }],
  });
  expect([...some.encode(["many shirts"], 3).ids]).toEqual([...some.encode(["many t-shirts"], 3).ids]);
  for (const word of ["constructor", "s", "toStrings"]) expect(some.sort(word).replaced).toEqual([]);
});

test("a vocabulary reads what it wrote, and refuses anything else", () => {
  const vocabulary = QuestionVocabulary.of(["is there a t-shirt?"]);
  expect(QuestionVocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary))).words).toEqual(vocabulary.words);
  for (const words of [null, {}, ["a", 1], ["A"], ["a b"], ["?"]])
    expect(() => QuestionVocabulary.fromJSON(words)).toThrow("words must be a list of different words");
  expect(() => QuestionVocabulary.fromJSON(["a", "a"])).toThrow("words must differ");
});
