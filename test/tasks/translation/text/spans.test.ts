import { describe, expect, it } from "vitest";
import { findEnglishSpans } from "../../../../src/tasks/translation/text/english-spans.ts";

const spans = (text: string, words?: Record<string, number>) =>
  findEnglishSpans(text, words && new Map(Object.entries(words))).map(
    ({ kind, start, end }) => `${kind} ${text.slice(start, end)}`,
  );

describe("findEnglishSpans", () => {
  it("tells numbers, years, ordinals, measures and prices apart", () => {
    expect(spans("In 1995 I had 1995 books and 3.5 cats.")).toEqual([
      "year 1995",
      "number 1995",
      "number 3.5",
    ]);
    expect(spans("the 1990s, the 80s, 1,000,000 and 1/2")).toEqual([
      "year 1990",
      "number 80",
      "number 1,000,000",
      "number 1/2",
    ]);
    expect(spans("the 21st of 20% at -5°C or 70 km/h")).toEqual([
      "ordinal 21st",
      "measure 20%",
      "measure -5°C",
      "measure 70 km/h",
    ]);
    expect(spans("$20, €5.50, 20 €, US$3, $3 billion, 5 USD")).toEqual([
      "price $20",
      "price €5.50",
      "price 20 €",
      "price US$3",
      "price $3 billion",
      "price 5 USD",
    ]);
  });

  it("reads times and dates whole", () => {
    expect(spans("at 7:30, 7:30 p.m., 7pm, 7 o'clock or 19:05:10")).toEqual([
      "time 7:30",
      "time 7:30 p.m.",
      "time 7pm",
      "time 7 o'clock",
      "time 19:05:10",
    ]);
    expect(spans("on March 12, 2026, the 5th of May, Fri, Jan. 3 or 2026-03-12")).toEqual([
      "date March 12, 2026",
      "date the 5th of May",
      "date Fri, Jan. 3",
      "date 2026-03-12",
    ]);
    // The dot of "p.m." ends the sentence.
    expect(spans("It is 6 p.m.")).toEqual(["time 6 p.m"]);
    expect(spans("I may 5 times; a score of 3:1, 25:00")).not.toContain("time 25:00");
  });

  it("flags the dates that an American and a European read otherwise", () => {
    const flags = (text: string) => findEnglishSpans(text).map(({ flag }) => flag);
    expect(flags("3/4/2026 and 25/12/2026 and 12/25/2026 and 5/5/2026")).toEqual([
      "ambiguous date",
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("takes addresses, telephone numbers and codes for codes", () => {
    for (const code of [
      "john.doe+x@mail.example.com",
      "https://example.com/a?b=1",
      "www.example.org",
      "example.co.uk",
      "@heed",
      "#attention",
      "+1 (555) 123-4567",
      "555-0199",
      "AF1234",
      "B-12",
      "2938-A1",
      "kX93-ttb",
      "1.2.3",
      "report_2.pdf",
      "C:\\temp\\x.txt",
      "/usr/local/bin",
      "5'10\"",
      "H₂O",
      "♥",
      "x".repeat(70),
    ])
      expect(spans(`See ${code} now`), code).toContain(`code ${code}`);
    expect(spans("from 2010-2015 a 15-year-old")).toEqual(["year 2010", "year 2015", "number 15"]);
  });

  it("finds names inside a sentence, and at its start where the word is no common one", () => {
    const words = { the: 99, will: 50, mark: 9, works: 9, of: 9, and: 99, meet: 9, Japan: 9, new: 9 };
    expect(spans("Will Priya and Mark of Japan meet Ludwig van Beethoven?", words)).toEqual([
      "woman Priya",
      "man Mark",
      "name Ludwig van Beethoven",
    ]);
    expect(spans("Wojciech works.", words)).toEqual(["name Wojciech"]);
    expect(spans("Mr. Works works.", words)).toContain("name Works");
    expect(spans("The U.S. works.", words)).toEqual([]);
    expect(spans("We flew to New York and San Francisco, IBM and Москва.")).toEqual([
      "place New York",
      "place San Francisco",
      "name IBM",
      "name Москва",
    ]);
  });
});
