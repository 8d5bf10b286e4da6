import { expect, it } from "vitest";
import {
  isAllCapitals,
  isTitleCase,
  likeSource,
  sentenceCapitals,
} from "../../../../src/tasks/translation/text/casing.ts";

const vocabulary = new Map(
  Object.entries({ where: 90, is: 90, the: 90, i: 0, live: 9, French: 9, french: 1, in: 9, USB: 9 }),
);

it("gives shouting, headlines and small letters the capitals of the corpus", () => {
  expect(sentenceCapitals("WHERE IS TOM?", vocabulary)).toBe("Where is Tom?");
  expect(sentenceCapitals("i live in new york and i speak french", vocabulary)).toBe(
    "I live in New York and I speak French",
  );
  expect(sentenceCapitals("Where Is The Usb Port", vocabulary)).toBe("Where is the USB port");
  expect(sentenceCapitals("where is Anna?", vocabulary)).toBe("Where is Anna?");
  expect(sentenceCapitals("SEE B-12 OR A@B.COM", vocabulary)).toBe("See B-12 or A@B.COM");
  expect(sentenceCapitals("iPhone prices", vocabulary)).toBe("iPhone prices");
});

it("takes an acronym or a name for no shouting", () => {
  expect(["WHERE AM I?", "HELP!", "USA", "NASA", "OK.", "1234 ?!", "你好吗你好"].map(isAllCapitals)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(["Where Is My Bag", "Tom Loves Mary", "New York"].map(isTitleCase)).toEqual([true, false, false]);
});

it("shouts what was shouted, but no address", () => {
  expect(likeSource("WHERE IS IT?", "Où est a@b.com ?", "fr")).toBe("OÙ EST a@b.com ?");
  expect(likeSource("Where is it?", "Où est-ce ?", "fr")).toBe("Où est-ce ?");
});
