import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { END, UNKNOWN } from "../../../src/data/bpe.ts";
import { readCorpus, readSummaries } from "../../../src/tasks/summarization/corpus.ts";
import { hiddenCopies } from "../../../src/tasks/summarization/hidden-copies.ts";
import { bestLead, leadWords } from "../../../src/tasks/summarization/lead.ts";
import { spelled } from "../../../src/tasks/summarization/summarizer.ts";
import { joinWords, splitWords, WordVocabulary } from "../../../src/tasks/words.ts";

const TEXTS = [
  "Batch-normalized joint training for DNN-based distant speech recognition",
  'He said: "Don\'t!" (in 1,000.5 cases) --- and left.',
  "(AUC 0.815), [x]; été, 中文 U.S. a..b 'quoted'",
  "...",
  "a",
  "",
];

describe("splitWords", () => {
  it("cuts words from what stands between them, and joinWords gives the text back", () => {
    for (const text of TEXTS) expect(joinWords(splitWords(text))).toBe(text);
    expect(splitWords("(AUC 0.815), don't")).toEqual(["(", "AUC", "0.815", "), ", "don't"]);
    expect(splitWords("U.S. a..b")).toEqual(["U.S", ". ", "a", "..", "b"]);
  });
});

describe("WordVocabulary", () => {
  const vocabulary = WordVocabulary.of(
    [
      ["The", "cat", "the", "dog"],
      ["a", "Cat", "a", "the"],
    ],
    7,
  );

  it("holds the most frequent words in lower case, of equals the first by code units", () => {
    expect(vocabulary.toJSON().words).toEqual(["the", "a", "cat"]);
    expect(vocabulary.size).toBe(7);
    expect(WordVocabulary.fromJSON(vocabulary.toJSON()).toJSON()).toEqual(vocabulary.toJSON());
  });

  it("numbers what it lacks source by source, the same in the target, and a word that neither has is unknown", () => {
    const { ids, own } = vocabulary.source(["A", "Dodo", "the", "emu", "dodo"]);
    expect([ids, own]).toEqual([
      [5, 7, 4, 8, 7],
      ["dodo", "emu"],
    ]);
    const target = vocabulary.target(["EMU", "cat", "yak", "dodo"], own);
    expect(target).toEqual([8, 6, UNKNOWN, 7, END]);
    expect([8, 6, UNKNOWN].map((id) => vocabulary.word(id, own))).toEqual(["emu", "cat", "<unk>"]);
  });

  it("refuses what is none", () => {
    const rule = 'WordVocabulary.fromJSON: format must be "heed-words-1" with a list of different words, got';
    const read = (json: unknown) => () => WordVocabulary.fromJSON(json as never);
    expect(read({ format: "other", words: [] })).toThrow(`${rule} "other"; copy or train the model again`);
    expect(read({ format: "heed-words-1", words: ["a", ""] })).toThrow(rule);
    expect(read(undefined)).toThrow(`${rule} nothing; copy or train the model again`);
  });
});

describe("the words of a summary", () => {
  it("are spelled as the source does most often, the first with a capital", () => {
    expect(spelled(["bert", "for", "the", "names"], ["The", "Names", "like", "BERT", "the", "the"])).toEqual([
      "BERT",
      "for",
      "the",
      "Names",
    ]);
    expect(spelled(["été"], [])).toEqual(["Été"]);
    expect(spelled([], ["a"])).toEqual([]);
    // Where the second word looked with half its weight stands "song"; the first looked at nothing in particular.
    const source = ["Song", "song", "Song"];
    expect(
      spelled(["the", "song"], source, [
        [0.4, 0.3, 0.3],
        [0.3, 0.5, 0.2],
      ]),
    ).toEqual(["The", "song"]);
    expect(
      spelled(["the", "song"], source, [
        [0.4, 0.3, 0.3],
        [0.3, 0.4, 0.3],
      ]),
    ).toEqual(["The", "Song"]);
  });
});

describe("the lead baseline", () => {
  it("takes the first words, as many as score best", () => {
    expect(leadWords("One fish, two fish.", 2)).toBe("One fish,");
    expect(leadWords("One fish", Number.POSITIVE_INFINITY)).toBe("One fish");
    const split = [
      { source: "a b c d e f", references: ["a b c"] },
      { source: "x y z u", references: ["no", "x y z"] },
    ];
    expect(bestLead(split, 6)).toBe(3);
  });
});

const READING = { kind: "", vocabulary: 6, hide: 0, seed: 1, maxSource: 3, maxTarget: 3 };

describe("hiddenCopies", () => {
  const V = 400;
  const of = (share: number, seed = 1) => ({ vocabulary: V, share, seed });

  it("hides words that source and target have, and numbers the source's own anew as they come", () => {
    // Of 300 and 399 both have; 10 is frequent, 350 the source's alone, 400 and 401 are its own already.
    const pair = { source: [300, 401, 10, 400, 399, 350, 300], target: [399, 10, 300, 401, END] };
    expect(hiddenCopies([pair], of(1))).toEqual([
      { source: [400, 401, 10, 402, 403, 350, 400], target: [403, 10, 400, 401, END] },
    ]);
    expect(hiddenCopies([pair], of(0))).toEqual([]);
    const nothing = { source: [10, 300, 400], target: [10, 350, 400, UNKNOWN, END] };
    expect(hiddenCopies([nothing, pair], of(1))).toHaveLength(1);
  });

  it("hides that share of them, another choice for each pair and seed, the same each time", () => {
    const pairs = Array.from({ length: 500 }, () => ({ source: [300, 301, 302], target: [301, 302, END] }));
    const made = hiddenCopies(pairs, of(0.3));
    // A pair has a copy unless both words are left: 1 − 0.7², within three deviations.
    expect(Math.abs(made.length / 500 - 0.51)).toBeLessThan(3 * Math.sqrt((0.51 * 0.49) / 500));
    expect(new Set(made.map((pair) => pair.source.join())).size).toBe(3);
    expect(hiddenCopies(pairs, of(0.3))).toEqual(made);
    expect(hiddenCopies(pairs, of(0.3, 2))).not.toEqual(made);
  });
});

describe("readCorpus", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-summaries-"));
  const write = (name: string, rows: string[]) => writeFileSync(path.join(dir, name), `${rows.join("\n")}\n`);

  it("reads the kind that is asked for, cuts long sources, leaves out long targets, and groups references", () => {
    mkdirSync(dir, { recursive: true });
    write("train.lite.tsv", ["a b c d e\ta b", "a b\ta b c d", "a a\ta", " \ta", "emu b\tEmu\u00a0b"]);
    write("valid.lite.tsv", ["a b\ta", "a b\tb"]);
    const corpus = readCorpus(dir, { ...READING, kind: "lite" });
    expect(corpus.vocabulary.toJSON().words).toEqual(["a", "b"]);
    expect([corpus.cut, corpus.leftOut]).toEqual([1, 2]);
    const sorted = corpus.pairs.map((pair) => JSON.stringify(pair)).sort();
    expect(sorted).toEqual(
      [
        { source: [4, 4], target: [4, END] },
        { source: [4, 5, 6], target: [4, 5, END] },
        { source: [6, 5], target: [6, 5, END] },
      ]
        .map((pair) => JSON.stringify(pair))
        .sort(),
    );
    expect(readCorpus(dir, { ...READING, kind: "lite", hide: 1 }).pairs).toEqual(corpus.pairs);
    expect(corpus.validation).toEqual([{ source: "a b", references: ["a", "b"] }]);
    expect(readSummaries(dir, "valid", "lite")).toEqual(corpus.validation);
    expect(() => readSummaries(dir, "test", "full")).toThrow(`${path.join(dir, "test.full.tsv.gz")}`);
    rmSync(dir, { recursive: true });
  });
});
