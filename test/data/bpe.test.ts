import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { RandomStream } from "../../src/core/random.ts";
import { Bpe, END, PAD, START, UNKNOWN } from "../../src/data/bpe.ts";
import { trainBpe } from "../../src/data/bpe-train.ts";
import { normalizeText } from "../../src/data/text.ts";
import { mutations } from "../../tools/fuzz/mutate-json.mjs";

const CORPUS = ["low low low lower", "lowest newest newest", "l'été ne s'oublie pas !", "I don't know."];
const bpe = trainBpe(CORPUS, { vocabularySize: 61, characterCoverage: 1 });
const pieces = (text: string) => bpe.encodePieces(text).pieces;

describe("Bpe.encode", () => {
  test("applies the merges in the order they were learnt", () => {
    // Ids: ▁ 4, a 5, b 6, c 7; ab 8 before ▁a 9: "▁abc" is ▁·ab·c, though ▁a could have come first from the left.
    const ordered = Bpe.fromParts(["▁", "a", "b", "c"], ["a b", "▁ a"]);
    expect(ordered.encode("abc ac")).toEqual([4, 8, 7, 9, 7]);
    expect(ordered.encodePieces("abc ac").pieces).toEqual(["▁", "ab", "c", "▁a", "c"]);
  });

  test("joins repeated pairs from the left", () => {
    expect(Bpe.fromParts(["▁", "a"], ["a a"]).encodePieces("aaa aaaa").pieces).toEqual([
      "▁",
      "aa",
      "a",
      "▁",
      "aa",
      "aa",
    ]);
  });

  test("gives a word the same pieces at the start as inside", () => {
    expect(bpe.encode("low low")).toEqual([...bpe.encode("low"), ...bpe.encode("low")]);
  });

  test("encodes nothing as nothing", () => {
    expect(bpe.encode("")).toEqual([]);
    expect(bpe.decode([])).toBe("");
  });

  test("makes one <unk> of a run of unknown characters and keeps what it says", () => {
    const { ids, pieces } = bpe.encodePieces("low 你好low");
    expect(ids.filter((id) => id === UNKNOWN)).toHaveLength(1);
    expect(pieces.slice(0, 3)).toEqual(["▁low", "▁", "你好"]);
    expect(ids[2]).toBe(UNKNOWN);
    expect(bpe.decode(ids, (position) => pieces[position]!)).toBe("low 你好low");
    expect(bpe.decode(ids)).toBe("low \ufffdlow");
  });

  test("takes the text's own ▁ for an unknown character, not for a space", () => {
    const { ids, pieces } = bpe.encodePieces("low▁low");
    expect(ids).toContain(UNKNOWN);
    expect(bpe.decode(ids, (position) => pieces[position]!)).toBe("low▁low");
    const own = trainBpe(["a▁a a▁a"], { vocabularySize: 31, characterCoverage: 1 });
    expect(own.decode(own.encode("a▁a"))).toBe("a\ufffda");
  });

  test("does not take text for special pieces", () => {
    const marks = trainBpe(["<s> </s> <pad> <unk>", "<s> </s> <pad> <unk>"], {
      vocabularySize: 61,
      characterCoverage: 1,
    });
    const ids = marks.encode("<s> </s> <pad> <unk>");
    expect(Math.min(...ids)).toBeGreaterThan(UNKNOWN);
    expect(marks.decode(ids)).toBe("<s> </s> <pad> <unk>");
  });

  test("answers the same from its cache, and callers may change what they got", () => {
    const first = bpe.encode("lowest");
    const expected = [...first];
    first.push(1);
    expect(bpe.encode("lowest")).toEqual(expected);
  });

  test("encodes a word of ten thousand letters in time", () => {
    const text = "low".repeat(3334);
    expect(bpe.decode(bpe.encode(text))).toBe(text);
  });
});

describe("Bpe.decode", () => {
  test("gives back every normalised text of known characters", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 23 }),
      fc.string({ unit: "grapheme", maxLength: 23 }),
      fc
        .array(
          fc.constantFrom(
            "שלום",
            "👩\u200d👩\u200d👧",
            "👍🏽",
            "q\u0301\u0323",
            "l'",
            "n't",
            "7",
            "...",
            " ",
            "\u00a0",
            "é",
          ),
          {
            maxLength: 23,
          },
        )
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 29 }), (raw, merges) => {
        const s = normalizeText(raw).replaceAll("▁", "_");
        const size = 4 + 1 + new Set(s).size + merges;
        const trained = trainBpe([s, s], { vocabularySize: size, characterCoverage: 1 });
        const { ids, pieces } = trained.encodePieces(s);
        expect(ids).not.toContain(UNKNOWN);
        expect(trained.decode(ids)).toBe(s);
        expect(ids.map((id) => trained.piece(id))).toEqual(pieces);
      }),
      { numRuns: 1000 },
    );
  });

  test("is silent about <pad>, <s> and </s>", () => {
    expect(bpe.decode([START, ...bpe.encode("low"), END, PAD, PAD])).toBe("low");
  });

  test("reads typed arrays, as a model gives them", () => {
    expect(bpe.decode(Int32Array.from(bpe.encode("lower")))).toBe("lower");
  });

  test.each([-1, bpe.size, 2.5, Number.NaN])("refuses the id %d", (id) => {
    expect(() => bpe.decode([id])).toThrow(
      `Bpe.piece: an id must be an integer from 0 to ${bpe.size - 1}, got ${id}; decode with the encoding that made it`,
    );
  });
});

describe("BPE-dropout", () => {
  const random = () => new RandomStream(7);

  test("changes nothing at rate 0", () => {
    expect(bpe.encode("lowest newest", { rate: 0, random: random() })).toEqual(bpe.encode("lowest newest"));
  });

  test("spells a word in other ways that say the same, the same for the same stream", () => {
    const stream = random();
    const spellings = Array.from({ length: 31 }, () =>
      bpe.encode("lowest newest", { rate: 0.5, random: stream }),
    );
    expect(new Set(spellings.map(String)).size).toBeGreaterThan(5);
    for (const ids of spellings) expect(bpe.decode(ids)).toBe("lowest newest");
    expect(bpe.encode("lowest newest", { rate: 0.5, random: random() })).toEqual(spellings[0]);
  });
});

describe("Bpe.toJSON and Bpe.fromJSON", () => {
  test("carry the encoding through a file", () => {
    const copy = Bpe.fromJSON(JSON.parse(JSON.stringify(bpe)));
    expect(copy.size).toBe(bpe.size);
    for (const text of CORPUS) expect(copy.encode(text)).toEqual(bpe.encode(text));
  });

  test.each([
    [
      { format: "other", alphabet: [], merges: [] },
      'format must be "heed-bpe-1" with arrays alphabet and merges, got "other"',
    ],
    [null, 'format must be "heed-bpe-1" with arrays alphabet and merges, got "undefined"'],
    [
      { format: "heed-bpe-1", alphabet: ["a"], merges: ["a b"] },
      'a merge must be two earlier pieces, got "a b"',
    ],
    [
      { format: "heed-bpe-1", alphabet: ["a"], merges: ["a a a"] },
      'a merge must be two earlier pieces, got "a a a"',
    ],
    [
      { format: "heed-bpe-1", alphabet: ["a"], merges: [7] },
      'a merge must be two earlier pieces, got "number"',
    ],
    [
      { format: "heed-bpe-1", alphabet: ["a"], merges: [null] },
      'a merge must be two earlier pieces, got "null"',
    ],
    [
      { format: "heed-bpe-1", alphabet: ["a", 5], merges: [] },
      'the alphabet must hold single characters, no space, got "number"',
    ],
    [
      { format: "heed-bpe-1", alphabet: ["ab"], merges: [] },
      'the alphabet must hold single characters, no space, got "ab"',
    ],
    [
      { format: "heed-bpe-1", alphabet: [" "], merges: [] },
      'the alphabet must hold single characters, no space, got " "',
    ],
  ])("refuse %j", (json, rule) => {
    expect(() => Bpe.fromJSON(json as never)).toThrow(
      expect.objectContaining({
        name: "DataError",
        code: "FORMAT",
        message: `Bpe.fromJSON: ${rule}; train the encoding again with trainBpe`,
      }),
    );
  });

  test("3,000 mutated files are read or refused with a DataError, and what is read encodes and decodes", () => {
    let [read, refused] = [0, 0];
    for (const json of mutations(new RandomStream(5), 3000, bpe.toJSON())) {
      let copy: Bpe;
      try {
        copy = Bpe.fromJSON(json as never);
      } catch (error) {
        if (!(error instanceof DataError)) throw new Error(JSON.stringify(json), { cause: error });
        refused++;
        continue;
      }
      copy.decode(copy.encode("lowest été !"));
      read++;
    }
    expect(refused).toBeGreaterThan(1000);
    expect(read).toBeGreaterThan(100);
  });
});

test("Bpe.id and Bpe.piece are each other's inverse, and special pieces have no id", () => {
  for (let id = 4; id < bpe.size; id++) expect(bpe.id(bpe.piece(id))).toBe(id);
  expect([0, 1, 2, 3].map((id) => bpe.piece(id))).toEqual(["<pad>", "<s>", "</s>", "<unk>"]);
  expect(bpe.id("<s>")).toBeUndefined();
});

test("pieces of a text join to the text", () => {
  expect(pieces("I don't know.").join("")).toBe("▁I▁don't▁know.");
});
