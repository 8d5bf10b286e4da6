import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trainBpe } from "../../src/data/bpe-train.ts";

/** Byte-pair encoding as the paper writes it, counting everything anew for each merge; words of letters only. */
function plainMerges(
  text: string,
  alphabet: readonly string[],
  count: number,
  minFrequency: number,
): string[] {
  let words = text.split(" ").map((word) => ["▁", ...word]);
  const order = [...alphabet];
  const merges: string[] = [];
  while (order.length < count) {
    const pairs = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      }
    }
    const rank = (pair: string) => pair.split(" ").map((symbol) => order.indexOf(symbol));
    const [best] = [...pairs].sort(([p, m], [q, n]) => {
      const [a, b] = [rank(p), rank(q)];
      return n - m || a[0]! - b[0]! || a[1]! - b[1]!;
    });
    if (best === undefined || best[1] < minFrequency) break;
    const [left, right] = best[0].split(" ") as [string, string];
    merges.push(best[0]);
    if (!order.includes(left + right)) order.push(left + right);
    words = words.map((word) => {
      const joined: string[] = [];
      for (let i = 0; i < word.length; i++) {
        const joins = word[i] === left && word[i + 1] === right;
        joined.push(joins ? left + right : word[i]!);
        if (joins) i++;
      }
      return joined;
    });
  }
  return merges;
}

describe("trainBpe", () => {
  test("merges the most frequent pair first", () => {
    // "low" ×3: ▁l, lo, ow occur 3 times each, "lot" adds one to ▁l and lo. Ids: ▁ 0, l 1, o 2, w 3, t 4.
    const bpe = trainBpe(["low low low lot"], { vocabularySize: 100 });
    expect(bpe.toJSON().alphabet).toEqual(["▁", "l", "o", "w", "t"]);
    expect(bpe.toJSON().merges).toEqual(["▁ l", "▁l o", "▁lo w"]);
    expect(bpe.size).toBe(4 + 5 + 3);
  });

  test("makes the merges that counting everything anew makes", () => {
    const word = fc.string({ unit: fc.constantFrom(..."abc"), minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 31 }),
        fc.integer({ min: 1, max: 3 }),
        (words, least) => {
          const text = words.join(" ");
          const bpe = trainBpe([text], { vocabularySize: 43, minFrequency: least, characterCoverage: 1 });
          const { alphabet, merges } = bpe.toJSON();
          expect(merges).toEqual(plainMerges(text, alphabet, 43 - 4, least));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("does not depend on the order of the sentences", () => {
    const sentences = ["new newer newest", "low lower lowest", "wide wider widest", "no", ""];
    const train = (texts: string[]) => JSON.stringify(trainBpe(texts, { vocabularySize: 53 }));
    expect(train(sentences)).toBe(train(sentences.toReversed()));
  });

  test("stops at the size that was asked for", () => {
    expect(trainBpe(["low lower lowest low lower"], { vocabularySize: 17 }).size).toBe(17);
  });

  test("leaves pairs below minFrequency apart", () => {
    expect(trainBpe(["ab cd cd"], { vocabularySize: 99, minFrequency: 3 }).toJSON().merges).toEqual([]);
  });

  test("leaves the rarest characters out of the alphabet", () => {
    const text = `${"a".repeat(97)} ${"é".repeat(3)}`;
    expect(trainBpe([text], { vocabularySize: 9, characterCoverage: 0.97 }).toJSON().alphabet).toEqual([
      "▁",
      "a",
    ]);
    expect(trainBpe([text], { vocabularySize: 9, characterCoverage: 0.98 }).toJSON().alphabet).toEqual([
      "▁",
      "a",
      "é",
    ]);
  });

  test("never merges across units: words, contractions, digits, punctuation", () => {
    const bpe = trainBpe(Array(5).fill("don't 22 a."), { vocabularySize: 99 });
    expect(bpe.encodePieces("don't 22 a.").pieces).toEqual(["▁do", "n't", "▁2", "2", "▁a", "."]);
  });

  test("makes an encoding of nothing from no text", () => {
    expect(trainBpe([], { vocabularySize: 7 }).size).toBe(5);
  });

  test.each([
    [
      { vocabularySize: 4 },
      "trainBpe: vocabularySize must be an integer from 5 to 67108863, got 4; choose one in that range",
    ],
    [
      { vocabularySize: 7.5 },
      "trainBpe: vocabularySize must be an integer from 5 to 67108863, got 7.5; choose one in that range",
    ],
    [
      { vocabularySize: 9, minFrequency: 0 },
      "trainBpe: minFrequency must be at least 1, got 0; choose one in that range",
    ],
    [
      { vocabularySize: 9, minFrequency: Number.NaN },
      "trainBpe: minFrequency must be at least 1, got NaN; choose one in that range",
    ],
    [
      { vocabularySize: 9, characterCoverage: 1.5 },
      "trainBpe: characterCoverage must be in (0, 1], got 1.5; choose one in that range",
    ],
    [
      { vocabularySize: 7 },
      "trainBpe: vocabularySize must hold the special pieces and the alphabet, 8, got 7; raise it or lower characterCoverage",
    ],
  ])("refuses %j", (options, message) => {
    expect(() => trainBpe(["abc"], options)).toThrow(message);
  });
});
