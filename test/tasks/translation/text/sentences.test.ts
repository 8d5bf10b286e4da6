import { expect, it } from "vitest";
import { joinSentences, splitSentences } from "../../../../src/tasks/translation/text/sentences.ts";

const cut = (line: string) => splitSentences(line).sentences;

it("cuts after marks, quotes that close with them, and before a capital without a space", () => {
  expect(cut("Hi! How are you?! I see... Good.")).toEqual(["Hi!", "How are you?!", "I see...", "Good."]);
  expect(cut('"Stop!" "Why?" He left.')).toEqual(['"Stop!"', '"Why?"', "He left."]);
  expect(cut("Thanks.See you.Bye!")).toEqual(["Thanks.", "See you.", "Bye!"]);
  expect(cut("hi. how are you? fine.")).toEqual(["hi.", "how are you?", "fine."]);
});

it("does not cut abbreviations, numbers, addresses or reported speech", () => {
  for (const whole of [
    "Mr. and Mrs. Lee met Dr. Ahn.",
    "It costs $3.50, e.g. at Joe's.",
    "She lives in the U.S. Congress district no. 5 today.",
    "We met at 6 p.m. on Monday.",
    '"Why?" he asked.',
    "See www.example.org or write to a.b@example.org.",
    "J. R. R. Tolkien wrote it.",
    "Well... perhaps not.",
    "Martin Luther King Jr. had a dream.",
    "v1.2.3 is out.",
  ])
    expect(cut(whole)).toEqual([whole]);
});

it("cuts after an abbreviation where a sentence begins", () => {
  expect(cut("We met at 6 p.m. It was dark.")).toEqual(["We met at 6 p.m.", "It was dark."]);
  expect(cut("No. I won't.")).toEqual(["No.", "I won't."]);
  expect(cut("He lives in the U.S. They don't.")).toEqual(["He lives in the U.S.", "They don't."]);
});

it("joins to the line that it cut, spaces and all", () => {
  for (const line of ["", "  ", " a. ", "One.  Two.\tThree!   ", "...", ".a", "A.B.C.", "\n\nHi.\r\n You."]) {
    const { sentences, separators } = splitSentences(line);
    expect(separators).toHaveLength(sentences.length + 1);
    expect(joinSentences(sentences, separators)).toBe(line);
  }
});
