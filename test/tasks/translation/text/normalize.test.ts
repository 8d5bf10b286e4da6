import { expect, it } from "vitest";
import { normalizeEnglish } from "../../../../src/tasks/translation/text/normalize.ts";

it("undoes typography and keeps what NFKC would change in meaning", () => {
  expect(normalizeEnglish("“Hello”…   I’m  ﬁne !!!")).toBe('"Hello"... I\'m fine!');
  expect(normalizeEnglish("Ｔｏｍ ＆ ‘Ann’")).toBe("Tom and 'Ann'");
  expect(normalizeEnglish("½ m² of H₂O™, 5 º")).toBe("½ m² of H₂O™, 5 º");
  expect(normalizeEnglish("«Come in», ‹now›")).toBe("\"Come in\", 'now'");
});

it("has one hyphen, one space and one mark", () => {
  expect(normalizeEnglish("well‐known, pages 10–15 — and−so on")).toBe("well-known, pages 10-15 - and-so on");
  expect(normalizeEnglish(" a \u00a0\t b\r\n")).toBe("a b");
  expect(normalizeEnglish("Really?!?! No!! Wait..... Why , then ?")).toBe("Really?! No! Wait... Why, then?");
});

it("spells out haste, but no letter, address or other word", () => {
  expect(normalizeEnglish("dont, Im, I cant, THATS it, pls")).toBe("don't, I'm, I can't, THAT'S it, please");
  expect(normalizeEnglish("i know u")).toBe("I know you");
  expect(normalizeEnglish("a U-turn, ill, its, well, were, im@x.com, www.im.org, u.s.")).toBe(
    "a U-turn, ill, its, well, were, im@x.com, www.im.org, u.s.",
  );
});

it("changes nothing the second time", () => {
  for (const text of [
    "“a” – b—c ‘d’",
    "...!",
    "?.!.?",
    "a . b",
    "''x''",
    "``",
    "- – -",
    "i'm i'm",
    "a & b & c",
  ]) {
    const once = normalizeEnglish(text);
    expect(normalizeEnglish(once), text).toBe(once);
  }
});
