import { expect, test } from "vitest";
import { countWords } from "../../../../src/tasks/translation/text/vocabulary.ts";

test("a first word counts for the form that the rest of the corpus has", () => {
  const counts = countWords(["The cat saw Tom.", "Tom saw the cat.", "He left. Then Tom came."]);
  expect(counts.get("the")).toBe(2);
  expect(counts.has("The")).toBe(false);
  expect(counts.get("Tom")).toBe(3);
  expect(counts.get("then")).toBe(1);
});

test("a name behind a title is no first word of a sentence", () => {
  const counts = countWords(["Good morning, Mrs. Okafor.", "Is Dr. Lindberg in? Yes, he is."]);
  expect([...counts.keys()].filter((word) => /okafor|lindberg/i.test(word))).toEqual(["Okafor", "Lindberg"]);
  expect(counts.get("yes")).toBe(1);
});
