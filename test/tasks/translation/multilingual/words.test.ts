import { expect, test } from "vitest";
import { comeFrom, tokensOf } from "../../../../src/tasks/translation/multilingual/words.ts";

test("tokens are words and marks, and a value is one token whatever it holds", () => {
  const text = "Rendez-vous à 14 h 30.";
  const at = text.indexOf("14 h 30");
  expect(tokensOf(text, [[at, at + 7]])).toEqual([
    ...["Rendez", "-", "vous", "à"].map((token) => ({ token })),
    { token: "14 h 30", range: 0 },
    { token: "." },
  ]);
});

test("finished words come from the equal ones, in order; others from what stands there or beside", () => {
  expect(comeFrom(["¿", "Dónde", "está", "?"], ["Dónde", "esta", "?"])).toEqual([0, 0, 1, 2]);
  expect(comeFrom(["a", "b"], ["a", "x", "b"])).toEqual([0, 2]);
  expect(comeFrom(["x", "y", "z"], ["p", "q", "r"])).toEqual([0, 1, 2]);
  expect(comeFrom(["p", "p"], ["p"])).toEqual([0, 0]);
  expect(comeFrom([], ["p"])).toEqual([]);
});
