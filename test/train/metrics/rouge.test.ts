import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { porterStem } from "../../../src/train/metrics/porter-stemmer.ts";
import { corpusRouge, type RougeScore, rougeWords, sentenceRouge } from "../../../src/train/metrics/rouge.ts";

const MEASURES = ["rouge1", "rouge2", "rougeL", "rougeLsum"] as const;
type Values = Record<(typeof MEASURES)[number], [precision: number, recall: number, f: number]>;

/** What rouge-score 0.1.2 says: tools/fixtures/metrics/rouge.py. */
const fixture: {
  segments: { hypothesis: string; references: string[]; plain: Values; stemmed: Values }[];
  stems: string[];
} = JSON.parse(readFileSync(new URL("../../fixtures/metrics/rouge.json", import.meta.url), "utf8"));
const { segments } = fixture;

/** The measures in which a score is off by more than 1e-12 of 1, with both values. */
function differences(score: RougeScore, expected: Values): string[] {
  return MEASURES.flatMap((measure) => {
    const { precision, recall, f } = score[measure];
    const found = [precision, recall, f].map((x) => x / 100);
    const isEqual = found.every((x, i) => Math.abs(x - expected[measure][i]!) <= 1e-12);
    return isEqual ? [] : [`${measure}: ${found} is not ${expected[measure]}`];
  });
}

describe("sentenceRouge", () => {
  it.each(["plain", "stemmed"] as const)(
    "gives what rouge-score 0.1.2 gives for every segment, precision, recall and F: %s",
    (kind) => {
      const wrong = segments.flatMap(({ hypothesis, references, ...expected }) => {
        const found = differences(
          sentenceRouge(hypothesis, references, { stem: kind === "stemmed" }),
          expected[kind],
        );
        return found.length > 0 ? [{ hypothesis, references, found }] : [];
      });
      expect(wrong).toEqual([]);
      // Summaries of one line and of several, equal ones and ones that share nothing.
      expect(segments.length).toBeGreaterThan(250);
      expect(segments.filter(({ plain }) => plain.rougeL[2] !== plain.rougeLsum[2]).length).toBeGreaterThan(
        20,
      );
    },
  );

  // Lin 2004, §3.1: S2 has a common subsequence of 3 of 4 words with S1, S3 one of 2.
  it("gives the scores of the paper's example", () => {
    expect(sentenceRouge("police kill the gunman", ["police killed the gunman"]).rougeL.f).toBe(75);
    expect(sentenceRouge("the gunman kill police", ["police killed the gunman"]).rougeL.f).toBe(50);
    expect(
      sentenceRouge("police kill the gunman", ["police killed the gunman"], { stem: true }).rougeL.f,
    ).toBe(100);
  });

  // §3.2: of the reference w1 w2 w3 w4 w5 the sentences w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5 have w1 w2 and w1 w3 w5: 4 of 5.
  it("takes the union of all sentences for a summary", () => {
    const { rougeLsum, rougeL } = sentenceRouge("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", ["w1 w2 w3 w4 w5"]);
    expect(rougeLsum.recall).toBe(80);
    expect(rougeLsum.precision).toBe(40);
    expect(rougeL.recall).toBe(80);
  });

  it("takes the reference with the best F, the first of equals", () => {
    const { rouge1 } = sentenceRouge("a b", ["a b c d", "b", "a b x"]);
    expect(rouge1).toEqual({ precision: 100, recall: 100 * (2 / 3), f: 80 });
    const equal = sentenceRouge("a b c", ["a", "a b c d e f g h i"]);
    // F is 50 of both: P 1/3 and R 1, then P 1 and R 1/3.
    expect(equal.rouge1.recall).toBe(100);
  });
});

describe("corpusRouge", () => {
  it("is the mean of its segments, and says how it was made", () => {
    const rows = segments.slice(0, 60);
    for (const stem of [false, true]) {
      const score = corpusRouge(
        rows.map(({ hypothesis }) => hypothesis),
        rows.map(({ references }) => references),
        { stem },
      );
      for (const measure of MEASURES) {
        const values = rows.map((row) => (stem ? row.stemmed : row.plain)[measure]);
        const mean = (k: number) => (100 * values.reduce((sum, value) => sum + value[k]!, 0)) / rows.length;
        expect(score[measure].precision).toBeCloseTo(mean(0), 10);
        expect(score[measure].recall).toBeCloseTo(mean(1), 10);
        expect(score[measure].f).toBeCloseTo(mean(2), 10);
      }
      expect(score.signature).toBe(`nrefs:var|stem:${stem ? "yes" : "no"}|tok:rouge-score|version:0.1.2`);
    }
  });

  it("refuses what is no corpus", () => {
    const REMEDY = "pass one list of references for each hypothesis";
    const loose = (...given: unknown[]) => (corpusRouge as (...given: unknown[]) => unknown)(...given);
    expect(() => loose([], [])).toThrow(
      `corpusRouge: a corpus must have at least one segment, got none; ${REMEDY}`,
    );
    expect(() => loose(["a"], ["a"])).toThrow(
      `corpusRouge: the references of segment 0 must be a list, got a string; ${REMEDY}`,
    );
    expect(() => sentenceRouge("a", [])).toThrow(
      `sentenceRouge: each segment must have at least one reference, got none for segment 0; ${REMEDY}`,
    );
  });
});

describe("porterStem", () => {
  it("stems every word as NLTK 3.10.4 does", () => {
    const wrong = fixture.stems
      .map((line) => line.split(" ") as [string, string])
      .filter(([word, stem]) => porterStem(word) !== stem)
      .map(([word, stem]) => `${word}: ${porterStem(word)} is not ${stem}`);
    expect(wrong).toEqual([]);
    expect(fixture.stems.length).toBeGreaterThan(5000);
  });
});

it("words are runs of letters and digits in lower case, and short ones have no stem", () => {
  expect(rougeWords("State-of-the-art DNNs, don't été 1,000.5!")).toEqual(
    ["state", "of", "the", "art", "dnns", "don", "t", "t", "1", "000", "5"], // biome-ignore format: words
  );
  expect(rougeWords("was running", true)).toEqual(["was", "run"]);
});
