import { describe, expect, it } from "vitest";
import { readPairs } from "../../../../src/data/tsv.ts";
import { splitLine } from "../../../../src/tasks/translation/segments.ts";
import { detectForeign } from "../../../../src/tasks/translation/text/detect-language.ts";
import { TARGET_LANGUAGES } from "../../../../src/tasks/translation/text/language.ts";
import {
  finishPart,
  joinLine,
  type PrepareOptions,
  prepareLine,
} from "../../../../src/tasks/translation/text/pipeline.ts";
import { describePlaceholders } from "../../../../src/tasks/translation/text/placeholders.ts";
import { itWithData } from "../../../support/shared-data.ts";
import { corpusVocabulary, readFixture } from "./fixtures.ts";

const LIMIT_MS = 30_000;

/** A line through a model that says what it hears. */
function echo(line: string, language: "fr" | "de" | "es", options: PrepareOptions = {}): string {
  const prepared = prepareLine(line, options);
  return joinLine(
    prepared,
    prepared.parts.map((part) => finishPart(part, part.text, language)),
  );
}

describe("prepareLine", () => {
  it("is undone by finishPart and joinLine, spaces, emoji and marks included", () => {
    expect(echo("Hi!!  👋 I'm Priya, meet me at 7:30 p.m.", "fr")).toBe(
      "Hi !!  👋 I'm Priya, meet me at 19 h 30.",
    );
    expect(echo("WHERE IS TOM???  It costs $5", "de")).toBe("WHERE IS TOM???  It costs 5 $");
    expect(echo("😀", "es")).toBe("😀");
    expect(echo("", "es")).toBe("");
  });

  it("cuts what the model cannot read at once, by its length and by its placeholders", () => {
    const fits = (text: string) => text.length <= 30;
    const cut = prepareLine("One two three four five, six seven eight nine ten.", { cut: splitLine, fits });
    expect(cut.parts.map(({ text }) => text)).toEqual([
      "One two three four five,",
      "six seven eight nine ten.",
    ]);
    const numbers = prepareLine("20, 21, 22, 23, 24, 25, 26 and 27 are left.", { cut: splitLine });
    expect(numbers.parts.map(({ protected: { overflow } }) => overflow)).toEqual([0, 0]);
    expect(echo("20, 21, 22, 23, 24, 25, 26 and 27 are left.", "de", { cut: splitLine })).toBe(
      "20, 21, 22, 23, 24, 25, 26 and 27 are left.",
    );
  });

  it("says what a reader should know", () => {
    const vocabulary = new Map(Object.entries({ on: 99, the: 900, eat: 90, we: 90 }));
    expect(prepareLine("we eat teh blorft on 3/4/2026", { vocabulary }).notes).toEqual([
      { type: "typo", from: "teh", to: "the" },
      { type: "unknown word", text: "blorft" },
      { type: "ambiguous date", text: "3/4/2026" },
    ]);
  });
});

itWithData("tatoeba-en-fr")(
  "what is typed reaches the model as noisy.tsv says",
  (folder) => {
    const vocabulary = corpusVocabulary(folder);
    for (const [kind, typed, read] of readFixture("noisy")) {
      const text = JSON.parse(typed!) as string;
      const { parts } = prepareLine(text, { vocabulary });
      const got =
        kind === "foreign"
          ? detectForeign(text)?.language
          : parts.map((part) => describePlaceholders(part.text)).join(" / ");
      expect(got, typed).toBe(read);
    }
  },
  LIMIT_MS,
);

itWithData("tatoeba-en-fr")(
  "at least 99 % of the numbers and names of spans.tsv and alignment.tsv come through, each linked to its source",
  (folder) => {
    const vocabulary = corpusVocabulary(folder);
    const failed: string[] = [];
    let all = 0;
    const check = (sentence: string, column: number, wanted: string, found: boolean) => {
      all++;
      if (!found) failed.push(`${TARGET_LANGUAGES[column]} ${wanted} of ${sentence}`);
    };
    const finished = (sentence: string) => {
      const { parts } = prepareLine(sentence, { vocabulary });
      expect(parts, sentence).toHaveLength(1);
      return TARGET_LANGUAGES.map((language) => finishPart(parts[0]!, parts[0]!.text, language));
    };
    for (const [sentence, ...columns] of readFixture("spans"))
      for (const [k, { text, links }] of finished(sentence!).entries())
        for (const wanted of columns[k]!.split("|"))
          check(
            sentence!,
            k,
            wanted,
            links.some(({ target }) => text.slice(...target).includes(wanted)),
          );
    for (const [sentence, ...gold] of readFixture("alignment"))
      for (const [k, { text, links }] of finished(sentence!).entries())
        for (const one of gold) {
          const [, start, end, forms] = /^(\d+)-(\d+)=(.*)$/.exec(one)!;
          const link = links.find(({ source }) => source[0] === Number(start) && source[1] === Number(end));
          const wanted = forms!.split("|")[k]!;
          check(sentence!, k, wanted, link !== undefined && text.slice(...link.target) === wanted);
        }
    expect(all).toBeGreaterThan(1600);
    expect(failed.length / all, failed.join("\n")).toBeLessThanOrEqual(0.01);
  },
  LIMIT_MS,
);

it("the fixtures have 200, 100, 100 and 80 sentences, all different", () => {
  for (const [name, size] of [
    ["spans", 200],
    ["alignment", 100],
    ["everyday", 100],
    ["everyday-second", 80],
  ] as const) {
    const rows = readFixture(name);
    expect(new Set(rows.map((row) => row[name.startsWith("everyday") ? 1 : 0])).size, name).toBe(size);
    expect(rows).toHaveLength(size);
  }
});

for (const language of TARGET_LANGUAGES)
  itWithData(`tatoeba-en-${language}`)(
    `no sentence of the fixtures is a training sentence (${language})`,
    (folder) => {
      const plain = (text: string) =>
        text
          .toLowerCase()
          .replace(/[^a-z0-9]+/g, " ")
          .trim();
      const train = new Set(readPairs(`${folder}/train.tsv.gz`).map(({ source }) => plain(source)));
      const sentences = [
        ...readFixture("spans").map(([sentence]) => sentence!),
        ...readFixture("alignment").map(([sentence]) => sentence!),
        ...readFixture("everyday").map(([, sentence]) => sentence!),
        ...readFixture("everyday-second").map(([, sentence]) => sentence!),
      ];
      expect(sentences.filter((sentence) => train.has(plain(sentence)))).toEqual([]);
    },
    LIMIT_MS,
  );
