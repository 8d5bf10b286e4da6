import { expect, test } from "vitest";
import { splitLine } from "../../../src/tasks/translation/segments.ts";

const upTo = (length: number) => (part: string) => part.length <= length;

test("a line that fits stays whole", () => {
  expect(splitLine("Hello. How are you?", upTo(40))).toEqual(["Hello. How are you?"]);
});

test("a long line is cut at sentence ends first, and sentences that fit together stay together", () => {
  expect(splitLine('One. "Two!" Three? Four.', upTo(12))).toEqual(['One. "Two!"', "Three? Four."]);
});

test("a long sentence is cut at commas, then between words", () => {
  expect(splitLine("a b, c d e f g", upTo(6))).toEqual(["a b,", "c d e", "f g"]);
});

test("the parts joined by spaces are the line, whatever the limit", () => {
  const line = "It rained, it snowed; then: sun! What? Nothing… 3.14 is pi, Mr. Smith said.";
  for (let length = 1; length < line.length; length++)
    expect(splitLine(line, upTo(length)).join(" ")).toBe(line);
});

test("a word longer than the limit is left whole", () => {
  expect(splitLine("ab abcdefgh", upTo(3))).toEqual(["ab", "abcdefgh"]);
});
