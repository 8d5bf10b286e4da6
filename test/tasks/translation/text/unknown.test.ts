import { expect, it } from "vitest";
import { correctTypos, unknownWords } from "../../../../src/tasks/translation/text/unknown.ts";

const vocabulary = new Map(
  Object.entries({
    the: 900,
    receive: 40,
    relieve: 1,
    tomorrow: 90,
    address: 30,
    happy: 50,
    cat: 60,
    cut: 50,
    than: 99,
    walk: 30,
    is: 90,
  }),
);

it("unknownWords gives the small words that the vocabulary does not have or derive", () => {
  const tokens = ["the", "cats", "walked", "happily", "unhappy", "kimchi", "Priya", "B-12", "."];
  expect(unknownWords(tokens, vocabulary)).toEqual(["kimchi"]);
});

it("mends a slip of one letter that has one likely reading, and says so", () => {
  expect(correctTypos("teh cat will recieve it tommorow", vocabulary)).toEqual({
    text: "the cat will receive it tomorrow",
    corrections: [
      { from: "teh", to: "the", at: 0 },
      { from: "recieve", to: "receive", at: 13 },
      { from: "tommorow", to: "tomorrow", at: 24 },
    ],
  });
  expect(correctTypos("Adress is", vocabulary).text).toBe("Address is");
});

it("never mends a name, a code, an address, a short word or what may be two words", () => {
  // "cct" is as near to "cat" as to "cut"; "Sofia" is a name.
  const text = "cct Sofia teh@x.com teh5 addressx/y Thw cats thw";
  expect(correctTypos(text, vocabulary)).toEqual({ text, corrections: [] });
});

it("mends no more than eight words and looks at no long one", () => {
  const many = Array.from({ length: 20 }, () => "recieve").join(" ");
  expect(correctTypos(many, vocabulary).corrections).toHaveLength(8);
  const long = "a".repeat(200_000);
  expect(correctTypos(long, vocabulary)).toEqual({ text: long, corrections: [] });
});
