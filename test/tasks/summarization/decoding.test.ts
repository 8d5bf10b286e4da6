import { expect, test } from "vitest";
import { bestLengthPenalty, LENGTH_PENALTIES } from "../../../src/tasks/summarization/decoding.ts";
import type { SummarizeOptions, Summarizer, Summary } from "../../../src/tasks/summarization/summarizer.ts";

const validation = [{ source: "one two three four five", references: ["one two three"] }];

/** Says as many words of the text as `countOf` has for the penalty that it is asked with. */
function counting(countOf: (lengthPenalty: number) => number): Pick<Summarizer, "summarize"> {
  const words = (text: string, { lengthPenalty }: SummarizeOptions) =>
    text.split(" ").slice(0, countOf(lengthPenalty!)).join(" ");
  return {
    summarize: (texts, options = {}) => texts.map((text) => ({ target: words(text, options) }) as Summary),
  };
}

test("the penalty whose summaries have the best ROUGE-L is chosen, of equals the smallest", () => {
  expect(
    bestLengthPenalty(
      counting((alpha) => Math.ceil(alpha)),
      validation,
      [0, 1, 2, 2.5, 3, 4],
    ),
  ).toBe(2.5);
  expect(
    bestLengthPenalty(
      counting(() => 2),
      validation,
    ),
  ).toBe(LENGTH_PENALTIES[0]);
});
