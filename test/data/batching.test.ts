import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { makeBatches, padBatch, type TokenPair } from "../../src/data/batching.ts";

function randomPairs(count: number, longest: number): TokenPair[] {
  const random = new RandomStream(3);
  return Array.from({ length: count }, () => {
    const length = 1 + random.integer(longest);
    const target = Math.max(1, length + random.integer(5) - 2);
    return { source: Array(length).fill(7), target: Array(target).fill(11) };
  });
}

const widest = (batch: Int32Array, pairs: readonly TokenPair[], side: keyof TokenPair) =>
  batch.reduce((width, i) => Math.max(width, pairs[i]![side].length), 0);
const cells = (batch: Int32Array, pairs: readonly TokenPair[]) =>
  batch.length * (widest(batch, pairs, "source") + widest(batch, pairs, "target"));

const pairs = randomPairs(5003, 29);
const OPTIONS = { maxTokens: 997, seed: 5, epoch: 2 };

describe("makeBatches", () => {
  test("puts every pair in one batch, none above the limits", () => {
    const length = fc.integer({ min: 0, max: 13 });
    const pair = fc
      .tuple(length, length)
      .map(([s, t]) => ({ source: Array(s).fill(7), target: Array(t).fill(7) }));
    fc.assert(
      fc.property(
        fc.array(pair, { maxLength: 53 }),
        fc.integer({ min: 26, max: 101 }),
        fc.integer({ min: 1, max: 11 }),
        fc.integer({ min: 1, max: 61 }),
        (some, maxTokens, maxSentences, poolSize) => {
          const batches = makeBatches(some, { maxTokens, maxSentences, poolSize, seed: 1, epoch: 0 });
          const all = batches.flatMap((batch) => [...batch]).sort((a, b) => a - b);
          expect(all).toEqual([...some.keys()]);
          for (const batch of batches) {
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(maxSentences);
            expect(cells(batch, some)).toBeLessThanOrEqual(maxTokens);
          }
        },
      ),
    );
  });

  test("pads little", () => {
    const batches = makeBatches(pairs, OPTIONS);
    const padded = batches.reduce((sum, batch) => sum + cells(batch, pairs), 0);
    const real = pairs.reduce((sum, { source, target }) => sum + source.length + target.length, 0);
    expect(1 - real / padded).toBeLessThan(0.1);
    const room = 1 - padded / (batches.length * OPTIONS.maxTokens);
    expect(room).toBeLessThan(0.1);
  });

  test("makes the same batches for the same seed and epoch, other ones otherwise", () => {
    const batches = makeBatches(pairs, OPTIONS);
    expect(makeBatches(pairs, OPTIONS)).toEqual(batches);
    expect(makeBatches(pairs, { ...OPTIONS, epoch: 3 })).not.toEqual(batches);
    expect(makeBatches(pairs, { ...OPTIONS, seed: 6 })).not.toEqual(batches);
  });

  test("shuffles the batches: lengths do not grow along the epoch", () => {
    const lengths = makeBatches(pairs, OPTIONS).map((batch) => widest(batch, pairs, "source"));
    const half = lengths.length >> 1;
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    // Sorted, the halves would differ by about half of 29. Shuffled, each mean of more than 60 widths (sd ≈ 8)
    // has a standard error of about 1; 5 is over three of their difference's.
    expect(lengths.length).toBeGreaterThan(120);
    expect(Math.abs(mean(lengths.slice(0, half)) - mean(lengths.slice(half)))).toBeLessThan(5);
  });

  test("makes no batch of no pairs", () => {
    expect(makeBatches([], OPTIONS)).toEqual([]);
  });

  test("names a pair that no batch has room for", () => {
    const long = [...randomPairs(3, 5), { source: [1, 2, 3, 4, 5, 6, 7], target: [1, 2, 3, 4] }];
    expect(() => makeBatches(long, { maxTokens: 10, seed: 1, epoch: 0 })).toThrow(
      "makeBatches: maxTokens must hold every pair, got 10 and pair 3 of 11 tokens; raise it or leave out long pairs",
    );
  });

  test.each([
    [{ maxTokens: 0 }, "maxTokens must be at least 1, got 0"],
    [{ maxSentences: Number.NaN }, "maxSentences must be at least 1, got NaN"],
    [{ poolSize: -1 }, "poolSize must be at least 1, got -1"],
    [{ epoch: 0.5 }, "epoch must be an integer ≥ 0, got 0.5"],
  ])("refuses %j", (option, rule) => {
    expect(() => makeBatches(pairs, { ...OPTIONS, ...option })).toThrow(
      `makeBatches: ${rule}; choose one in that range`,
    );
  });
});

describe("padBatch", () => {
  test("fills rows up to the longest", () => {
    expect(padBatch([[5, 6, 7], [], [8]], 9)).toEqual({
      ids: Int32Array.of(5, 6, 7, 9, 9, 9, 8, 9, 9),
      lengths: Int32Array.of(3, 0, 1),
      rows: 3,
      width: 3,
    });
  });

  test("pads with 0 unless told", () => {
    expect(padBatch([[5, 6], [7]]).ids).toEqual(Int32Array.of(5, 6, 7, 0));
  });

  test("takes no rows", () => {
    expect(padBatch([])).toEqual({ ids: new Int32Array(), lengths: new Int32Array(), rows: 0, width: 0 });
  });
});
