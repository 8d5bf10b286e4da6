import path from "node:path";
import { expect, test } from "vitest";
import { readPhrases } from "../../../../src/tasks/translation/multilingual/phrases.ts";
import { contentLines } from "../../../../src/tasks/translation/spans.ts";
import { TARGET_LANGUAGES } from "../../../../src/tasks/translation/text/language.ts";

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];

/** Length of the longest sequence of words that both have, in order. */
function common(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const next = [0];
    for (const [j, other] of b.entries())
      next.push(word === other ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
    row = next;
  }
  return row.at(-1)!;
}

test("phrases are whole in every language, and each comes once", () => {
  for (const to of TARGET_LANGUAGES) {
    const phrases = readPhrases(to);
    expect(phrases.length).toBeGreaterThan(450);
    expect(new Set(phrases.map(({ source }) => source)).size).toBe(phrases.length);
    for (const { source, target } of phrases) {
      expect(source).toMatch(/^\S.*[.!?]$/);
      expect(target).toMatch(/^\S.*[.!?]$/);
    }
  }
});

test("no sentence that the model is judged by is among them, nor one that differs in a word or two", () => {
  const phrases = readPhrases("fr").map(({ source }) => wordsOf(source));
  for (const name of ["everyday", "everyday-second", "spans", "alignment"]) {
    const rows = contentLines("fixture", path.join(import.meta.dirname, `../fixtures/${name}.tsv`));
    for (const { text } of rows) {
      const judged = wordsOf(text.split("\t")[name.startsWith("everyday") ? 1 : 0]!);
      const own = new Set(judged);
      const near = phrases.filter((phrase) => {
        const least = 0.75 * Math.max(judged.length, phrase.length);
        // What is in both at all bounds what is in order, and is counted sooner.
        const inBoth = phrase.reduce((sum, word) => sum + (own.has(word) ? 1 : 0), 0);
        return inBoth > least && common(judged, phrase) > least;
      });
      expect(near, judged.join(" ")).toEqual([]);
    }
  }
});
