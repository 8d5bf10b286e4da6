import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { evaluateSpans, readSpanCases } from "../../../src/tasks/translation/spans.ts";
import type { Translation } from "../../../src/tasks/translation/translation.ts";

/** Translates by a table. */
const table = (targets: Record<string, string>) => ({
  translate: (lines: readonly string[]) =>
    lines.map((source) => ({
      source,
      target: targets[source]!,
      sourceTokens: [],
      targetTokens: [],
      weights: [],
      score: 0,
    })),
});

test("a span counts once for each time it is asked for, and none counts inside a longer one", () => {
  const cases = [
    { source: "a", spans: ["14", "1"] },
    { source: "b", spans: ["1 200", "Tom"] },
    { source: "c", spans: ["5", "5"] },
  ];
  const translator = table({ a: "14 chaises", b: "Tom a 1\u00a0200 chaises", c: "5 chats et 5 chiens" });
  expect(evaluateSpans(translator, cases)).toEqual({
    spans: 6,
    through: 5,
    failures: [{ source: "a", target: "14 chaises", missing: ["1"] }],
  });
});

test("a span is found as a word or number of its own", () => {
  const holds = (target: string, span: string) =>
    evaluateSpans(table({ a: target }), [{ source: "a", spans: [span] }]).through === 1;
  expect([holds("140 chats", "14"), holds("1,14 m", "14"), holds("14,5 m", "14")]).toEqual([
    false,
    false,
    false,
  ]);
  expect([holds("Toms Hund", "Tom"), holds("Tomate", "Tom"), holds("(14)", "14")]).toEqual([
    true,
    false,
    true,
  ]);
  expect([holds("20 $.", "20 $"), holds("l'an 1999, 3 fois", "1999"), holds("a.b@c.de", "a.b@c.de")]).toEqual(
    [true, true, true],
  );
});

function file(text: string): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-spans-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(path.join(dir, "spans.tsv"), text);
  return path.join(dir, "spans.tsv");
}

test("cases are read for a language, remarks and empty lines left out", () => {
  const cases = readSpanCases(
    file("# remark\n\nAt 7:30, Tom.\t7 h 30|Tom\t7.30 Uhr|Tom\t7:30|Tom\r\n"),
    "es",
  );
  expect(cases).toEqual([{ source: "At 7:30, Tom.", spans: ["7:30", "Tom"] }]);
});

test("a row with other columns is refused by its line, a file that is not there by its name", () => {
  const short = file("# remark\nOne.\t1\n");
  expect(() => readSpanCases(short, "fr")).toThrow(
    `readSpanCases: a row must have 4 columns, English and one for each of fr, de, es, got 2 in ${short} at line 2; ` +
      "correct or remove that line",
  );
  expect(() => readSpanCases("/no/such/file", "fr")).toThrow("readSpanCases: /no/such/file must be readable");
});

test("the 200 sentences of the fixture are read for every language", () => {
  const fixture = new URL("./fixtures/spans.tsv", import.meta.url).pathname;
  for (const to of ["fr", "de", "es"] as const) {
    const cases = readSpanCases(fixture, to);
    expect(cases).toHaveLength(200);
    // A translator that says what must come through, whatever signs it is made of, loses nothing; one that is silent all.
    const saying = (text: (n: number) => string) => ({
      translate: (lines: readonly string[]) =>
        lines.map((source, n) => ({ source, target: text(n) }) as Translation),
    });
    const { spans, through } = evaluateSpans(
      saying((n) => cases[n]!.spans.join(" · ")),
      cases,
    );
    expect(through).toBe(spans);
    expect(
      evaluateSpans(
        saying(() => ""),
        cases,
      ).through,
    ).toBe(0);
  }
});
