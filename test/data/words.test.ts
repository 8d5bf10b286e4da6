import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trainBpe } from "../../src/data/bpe-train.ts";
import { words } from "../../src/data/words.ts";

const grouped = (pieces: string[]) => words(pieces).map(([start, end]) => pieces.slice(start, end).join(""));

describe("words", () => {
  test.each([
    ["pieces of one word", ["▁tra", "vel", "ling", "."], ["▁travelling", "."]],
    ["a lone space and the unknown word after it", ["▁", "你好", "▁!"], ["▁你好", "▁!"]],
    ["elisions and contractions apart", ["▁l'", "éc", "ole", "▁do", "n't"], ["▁l'", "école", "▁do", "n't"]],
    ["a contraction that a model wrote in two pieces", ["▁do", "n'", "t", "▁a"], ["▁do", "n't", "▁a"]],
    ["digits apart", ["▁2", "0"], ["▁2", "0"]],
    ["a piece across two words, with the word it begins in", ["▁a", "b.c", "d", "▁e"], ["▁ab.cd", "▁e"]],
    ["nothing", [], []],
  ])("groups %s", (_, pieces, expected) => {
    expect(grouped(pieces)).toEqual(expected);
  });

  test("ranges follow one another without gap", () => {
    const bpe = trainBpe(["lower lowest"], { vocabularySize: 17 });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."lowerst'n .7é👩"), maxLength: 31 }), (text) => {
        const { pieces } = bpe.encodePieces(text);
        const ranges = words(pieces);
        expect(ranges.map(([start]) => start)).toEqual(
          [0, ...ranges.map(([, end]) => end)].slice(0, ranges.length),
        );
        expect(ranges.at(-1)?.[1] ?? 0).toBe(pieces.length);
        for (const [start, end] of ranges) expect(end).toBeGreaterThan(start);
      }),
    );
  });
});
