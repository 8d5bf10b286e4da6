import { expect, test } from "vitest";
import { isShouted, sentenceCase } from "../../../src/tasks/translation/casing.ts";

test("a text in capitals is shouted; a capital I, an acronym or no letters at all are not", () => {
  expect(isShouted("WHERE AM I?")).toBe(true);
  expect(isShouted("I")).toBe(false);
  expect(isShouted("NATO")).toBe(true);
  expect(isShouted("USA")).toBe(false);
  expect(isShouted("Where am I?")).toBe(false);
  expect(isShouted("1234 ?!")).toBe(false);
  expect(isShouted("你好吗你好")).toBe(false);
});

test("sentence case keeps the first letter and the word I as capitals", () => {
  expect(sentenceCase("WHERE AM I?")).toBe("Where am I?");
  expect(sentenceCase("“ÉCOUTE,” I SAID")).toBe("“Écoute,” I said");
});
