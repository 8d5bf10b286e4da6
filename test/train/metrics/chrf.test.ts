import { describe, expect, it } from "vitest";
import { corpusChrf, sentenceChrf } from "../../../src/train/metrics/chrf.ts";
import { corpora, differences, segments } from "./fixture.ts";

describe.each([
  ["chrF", 0, "chrf"],
  ["chrF++", 2, "chrfpp"],
] as const)("%s", (_, wordOrder, key) => {
  it("gives what sacreBLEU 2.5.1 gives for every segment", () => {
    const wrong = segments.flatMap((segment) => {
      const score = sentenceChrf(segment.hypothesis, segment.references, { wordOrder });
      const found = differences(score, segment[key]);
      return found.length > 0
        ? [{ hypothesis: segment.hypothesis, references: segment.references, found }]
        : [];
    });
    expect(wrong).toEqual([]);
  });

  it.each(corpora)("gives what sacreBLEU 2.5.1 gives for: $name", (corpus) => {
    const score = corpusChrf(corpus.hypotheses, corpus.references, { wordOrder });
    expect(differences(score, corpus[key])).toEqual([]);
  });
});

describe("corpusChrf", () => {
  // chat against chats: orders 1–4 match whole; reference n-grams 5, 4, 3, 2, 1 leave order 5 without hypothesis.
  it("gives the score worked out by hand", () => {
    const precision = 1;
    const recall = (4 / 5 + 3 / 4 + 2 / 3 + 1 / 2) / 4;
    const score = (100 * 5 * precision * recall) / (4 * precision + recall);
    expect(corpusChrf(["chat"], [["chats"]]).score).toBeCloseTo(score, 12);
  });

  it("scores 3,300 segments with 6 references each in seconds", () => {
    const rows = Array.from({ length: 3300 }, (_, i) => segments[i % 160]!);
    const references = rows.map((row) =>
      Array.from({ length: 6 }, (_, k) => row.references[k % row.references.length]!),
    );
    const start = performance.now();
    corpusChrf(
      rows.map((row) => row.hypothesis),
      references,
      { wordOrder: 2 },
    );
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it("refuses a segment without reference", () => {
    expect(() => sentenceChrf("a", [])).toThrow(
      "sentenceChrf: each segment must have at least one reference, got none for segment 0; " +
        "pass one list of references for each hypothesis",
    );
  });
});
