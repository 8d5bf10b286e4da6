import { describe, expect, it } from "vitest";
import { corpusBleu, sentenceBleu } from "../../../src/train/metrics/bleu.ts";
import { tokenize13a } from "../../../src/train/metrics/tokenize-13a.ts";
import { corpora, differences, segments } from "./fixture.ts";

describe("tokenize13a", () => {
  it("cuts every segment as sacreBLEU 2.5.1 does", () => {
    const wrong = segments.filter(
      ({ hypothesis, tokens }) => tokenize13a(hypothesis).join(" ") !== tokens.join(" "),
    );
    expect(wrong.map(({ hypothesis }) => [hypothesis, tokenize13a(hypothesis)])).toEqual([]);
  });

  it("keeps decimals and apostrophes whole and parts other punctuation", () => {
    expect(tokenize13a("« L'eau », à 1,5 €.")).toEqual(["«", "L'eau", "»", ",", "à", "1,5", "€", "."]);
  });
});

describe("sentenceBleu", () => {
  it("gives what sacreBLEU 2.5.1 gives for every segment: score, precisions, counts, penalty, lengths", () => {
    const wrong = segments.flatMap(({ hypothesis, references, bleu }) => {
      const found = differences(sentenceBleu(hypothesis, references), bleu);
      return found.length > 0 ? [{ hypothesis, references, found }] : [];
    });
    expect(wrong).toEqual([]);
  });

  // Hypothesis a a b against a b c and a d: words match a (once) and b, 2 of 3; "a b" matches, 1 of 2; no 3-gram.
  it("gives the score worked out by hand", () => {
    const { score, correct, total, precisions } = sentenceBleu("a a b", ["a b c", "a d"]);
    expect(correct).toEqual([2, 1, 0, 0]);
    expect(total).toEqual([3, 2, 1, 0]);
    expect(precisions).toEqual([200 / 3, 50, 50, 0]);
    expect(score).toBeCloseTo(((200 / 3) * 50 * 50) ** (1 / 3), 12);
  });
});

describe("corpusBleu", () => {
  it.each(corpora)("gives what sacreBLEU 2.5.1 gives for: $name", ({ hypotheses, references, bleu }) => {
    expect(differences(corpusBleu(hypotheses, references), bleu)).toEqual([]);
  });

  it("does not depend on the order of references", () => {
    const { hypotheses, references, bleu } = corpora[0]!;
    expect(
      differences(
        corpusBleu(
          hypotheses,
          references.map((refs) => refs.toReversed()),
        ),
        bleu,
      ),
    ).toEqual([]);
  });

  it("scores 3,300 segments with 6 references each in seconds", () => {
    const rows = Array.from({ length: 3300 }, (_, i) => segments[i % 160]!);
    const references = rows.map((row) =>
      Array.from({ length: 6 }, (_, k) => row.references[k % row.references.length]!),
    );
    const start = performance.now();
    corpusBleu(
      rows.map((row) => row.hypothesis),
      references,
    );
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it.each<[string, string[], string[][], string]>([
    ["an empty corpus", [], [], "a corpus must have at least one segment, got none"],
    ["too few references", ["a", "b"], [["a"]], "2 hypotheses need as many lists of references, got 1"],
    [
      "a segment without reference",
      ["a", "b"],
      [["a"], []],
      "each segment must have at least one reference, got none for segment 1",
    ],
  ])("refuses %s", (_, hypotheses, references, text) => {
    expect(() => corpusBleu(hypotheses, references)).toThrow(
      `corpusBleu: ${text}; pass one list of references for each hypothesis`,
    );
  });
});
